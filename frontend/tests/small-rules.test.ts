import { describe, expect, it } from "vitest";

import { refused } from "../src/classroom/api";
import { arrange, type Tile } from "../src/classroom/arrange";
import { backoff } from "../src/classroom/backoff";
import { offsetOf, progress, readDuration } from "../src/classroom/clock";
import { problemOf } from "../src/classroom/devices";
import { inOrder, isUp, moved } from "../src/classroom/hands";
import { pollAfter } from "../src/classroom/schedule";
import { newTab } from "../src/classroom/tab";
import { fill } from "../src/classroom/texts";
import { placeToResume, readTime } from "../src/replay/place";
import { extended } from "../src/replay/watched";

describe("back-off", () => {
  it("doubles up to a ceiling", () => {
    expect([0, 1, 2, 3, 9, 99].map((attempt) => backoff(attempt, 1))).toEqual([1000, 2000, 4000, 8000, 30_000, 30_000]);
  });
  it("leaves half to chance, so that an audience does not return in one instant", () => {
    expect([backoff(3, 0), backoff(3, 0.5), backoff(3, 1)]).toEqual([4000, 6000, 8000]);
  });
});

describe("the clock", () => {
  it("takes half of the round trip off the server's time", () => {
    expect(offsetOf(10_500, 10_000, 10_200)).toBe(400);
  });
  it("ends a countdown at zero and not before", () => {
    expect([61_000, 1, 0, -5_000, 3_600_000].map(readDuration)).toEqual(["01:01", "00:01", "00:00", "00:00", "1:00:00"]);
  });
  it("counts minutes inside the lecture only", () => {
    const minute = 60_000;
    const at = (now: number) => progress(now, 10 * minute, 100 * minute);
    expect([at(0), at(57.9 * minute), at(200 * minute)]).toEqual([
      { gone: 0, all: 90 },
      { gone: 47, all: 90 },
      { gone: 90, all: 90 },
    ]);
  });
});

describe("an admission's refusal", () => {
  it("turns the server's opening time into the device's", () => {
    expect(refused(425, { code: "too_early", opens_at: 9_000 }, 400)).toEqual({ is: "too_early", opensAt: 8_600 });
  });
  it("is passing when the server is in trouble, and final when it says so", () => {
    expect(refused(500, {}, 0)).toEqual({ is: "not_ready", because: "network" });
    expect(refused(429, { code: "too_many" }, 0)).toEqual({ is: "not_ready", because: "network" });
    expect(refused(503, { code: "media_away" }, 0)).toEqual({ is: "not_ready", because: "media_away" });
    expect(refused(403, { code: "removed" }, 0)).toEqual({ is: "refused", why: "removed" });
    expect(refused(401, {}, 0)).toEqual({ is: "refused", why: "no_session" });
  });
});

describe("the stage", () => {
  const tile = (seat: string, more: Partial<Tile> = {}): Tile => ({
    seat,
    identity: `${seat}.tab`,
    name: seat,
    lecturer: seat === "maya",
    local: false,
    speaking: false,
    source: "camera",
    track: null,
    ...more,
  });
  const names = (tiles: Tile[]) => {
    const { main, corner, strip } = arrange(tiles);
    return [main, corner, ...strip].map((one) => (one === null ? null : `${one.seat}/${one.source}`));
  };

  it("shows a shared screen large with the lecturer in its corner", () => {
    expect(names([tile("ketut"), tile("maya"), tile("maya", { source: "screen" })])).toEqual([
      "maya/screen",
      "maya/camera",
      "ketut/camera",
    ]);
  });
  it("shows the lecturer large, whoever speaks, and oneself in the corner", () => {
    expect(names([tile("yohana", { local: true }), tile("ketut", { speaking: true }), tile("maya")])).toEqual([
      "maya/camera",
      "yohana/camera",
      "ketut/camera",
    ]);
  });
  it("shows who speaks when the lecturer has no camera", () => {
    expect(names([tile("ketut"), tile("yohana", { speaking: true })])).toEqual(["yohana/camera", null, "ketut/camera"]);
  });
  it("never shows one's own screen large while there is another picture", () => {
    expect(names([tile("maya", { local: true }), tile("maya", { local: true, source: "screen" })])).toEqual([
      "maya/camera",
      "maya/screen",
    ]);
  });
  it("is empty without pictures", () => {
    expect(names([])).toEqual([null, null]);
  });
});

describe("hands", () => {
  const up = { seat: "ketut", name: "Ketut", raised_at: 5 };
  it("keep the time of their first raising", () => {
    expect(moved([up], "ketut", "Ketut", true, 9)).toEqual([up]);
  });
  it("stand in the order of raising, and go down", () => {
    const two = moved([up], "maya", "Maya", true, 3);
    expect(inOrder(two).map((hand) => hand.seat)).toEqual(["maya", "ketut"]);
    expect(isUp(moved(two, "maya", "Maya", false, 9), "maya")).toBe(false);
  });
});

describe("the rest", () => {
  it("polls less and less for an audience, and steadily for a host", () => {
    expect([0, 1, 2, 9].map((quiet) => pollAfter(quiet, false, 0.5))).toEqual([15_000, 30_000, 60_000, 60_000]);
    expect(pollAfter(9, true, 0.5)).toBe(15_000);
  });
  it("names a tab with eight letters or digits", () => {
    expect(newTab()).toMatch(/^[a-z0-9]{8}$/);
    expect(newTab()).not.toBe(newTab());
  });
  it("fills names and leaves what it does not know", () => {
    expect(fill("{a} and {b}", { a: "1" })).toBe("1 and {b}");
  });
  it("tells a refused device from a missing and a busy one", () => {
    const named = (name: string) => problemOf(Object.assign(new Error(), { name }));
    expect(["NotAllowedError", "NotFoundError", "NotReadableError"].map(named)).toEqual(["denied", "missing", "busy"]);
  });
  it("resumes a replay neither at its very beginning nor at its end", () => {
    expect([null, 5, 300, 3_590, Number.NaN].map((place) => placeToResume(place, 3_600))).toEqual([null, null, 300, null, null]);
    expect([5, 65, 3_725].map(readTime)).toEqual(["0:05", "1:05", "1:02:05"]);
  });
});

describe("what a replay has shown", () => {
  it("goes on while the video plays, and begins anew after a jump", () => {
    let shown = extended([], 0, 0.25);
    shown = extended(shown, 0.25, 0.5);
    expect(shown).toEqual([[0, 0.5]]);
    expect(extended(shown, 0.5, 60)).toEqual([[0, 0.5]]);
    expect(extended(shown, 60, 60.25)).toEqual([[0, 0.5], [60, 60.25]]);
    expect(extended(shown, 0.5, 0.1)).toEqual([[0, 0.5]]);
  });
});
