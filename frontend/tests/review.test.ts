import { describe, expect, it } from "vitest";

import { all, NOBODY, share, ticked, type Picked } from "../src/review/picking";
import { nextAfter } from "../src/review/refresh";

const ORDER = ["a", "b", "c", "d", "e"];
const ids = (picked: Picked): string[] => [...picked.ids].sort();

describe("ticking people", () => {
  it("takes one at a time", () => {
    const one = ticked(NOBODY, ORDER, "b", true, false);
    expect(ids(ticked(one, ORDER, "d", true, false))).toEqual(["b", "d"]);
    expect(ids(ticked(one, ORDER, "b", false, false))).toEqual([]);
  });
  it("takes everybody between with Shift, downwards and upwards", () => {
    const down = ticked(ticked(NOBODY, ORDER, "b", true, false), ORDER, "d", true, true);
    expect(ids(down)).toEqual(["b", "c", "d"]);
    expect(ids(ticked(ticked(NOBODY, ORDER, "d", true, false), ORDER, "a", true, true))).toEqual(["a", "b", "c", "d"]);
  });
  it("takes the ticks off everybody between, too", () => {
    const everybody = { ids: new Set(ORDER), anchor: "b" };
    expect(ids(ticked(everybody, ORDER, "d", false, true))).toEqual(["a", "e"]);
  });
  it("takes only the one when the last tick is no longer on the page", () => {
    expect(ids(ticked({ ids: new Set(), anchor: "gone" }, ORDER, "c", true, true))).toEqual(["c"]);
    expect(ids(ticked(NOBODY, ORDER, "c", true, true))).toEqual(["c"]);
  });
  it("takes a page and leaves others as they are", () => {
    expect(ids(all({ ids: new Set(["z"]), anchor: null }, ORDER, true))).toEqual([...ORDER, "z"]);
    expect(ids(all({ ids: new Set(["a", "z"]), anchor: null }, ORDER, false))).toEqual(["z"]);
  });
  it("says whether the page is ticked in full, in part, or not", () => {
    expect(share(NOBODY, ORDER)).toBe("none");
    expect(share({ ids: new Set(["a"]), anchor: null }, ORDER)).toBe("some");
    expect(share({ ids: new Set(ORDER), anchor: null }, ORDER)).toBe("all");
  });
});

describe("looking for newer values", () => {
  it("goes on when nothing is new, and when the site is away for a moment", () => {
    expect([304, 500, 503, 429].map((status) => nextAfter(status, true))).toEqual(["again", "again", "again", "again"]);
  });
  it("stops for somebody who is signed out or may not see it any more", () => {
    expect([0, 303, 401, 403, 404].map((status) => nextAfter(status, true))).toEqual(Array(5).fill("stop"));
  });
  it("loads the whole page when the lecture is over", () => {
    expect([nextAfter(200, true), nextAfter(200, false)]).toEqual(["again", "reload"]);
  });
});
