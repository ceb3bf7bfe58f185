import { describe, expect, it } from "vitest";

import { chatRoom, groupAhead, isClosed, newTitles, told, type Place } from "../src/classroom/rooms";

const place = (id: string, more: Partial<Place> = {}): Place => ({
  id,
  kind: "breakout",
  title: id,
  open: true,
  ready: true,
  ...more,
});

describe("rooms", () => {
  it("keep what is known of the own seat when a broadcast tells which rooms there are", () => {
    const before = [place("a", { mine: true, may: true, count: 3 })];
    expect(told(before, [place("a", { title: "Anggaran" }), place("b")])).toEqual([
      place("a", { title: "Anggaran", mine: true, may: true, count: 3 }),
      place("b"),
    ]);
  });

  it("have a chat of their own only as groups", () => {
    expect(chatRoom(place("a"))).toBe("a");
    expect(chatRoom(place("s", { kind: "second" }))).toBeNull();
    expect(chatRoom(null)).toBeNull();
  });

  it("lead to the group that the seat was given, while it is open and one is not there", () => {
    const rooms = [place("a"), place("b", { mine: true })];
    expect(groupAhead(rooms, "main")?.id).toBe("b");
    expect(groupAhead(rooms, "b")).toBeUndefined();
    expect(groupAhead([place("b", { mine: true, open: false })], "main")).toBeUndefined();
    expect(groupAhead([place("s", { mine: true, kind: "second" })], "main")).toBeUndefined();
  });

  it("send one back when they close, and never out of the main one", () => {
    expect(isClosed([place("a", { open: false })], "a")).toBe(true);
    expect(isClosed([place("a")], "a")).toBe(false);
    expect(isClosed([place("m", { kind: "main", open: false })], "m")).toBe(false);
    expect(isClosed([], "a")).toBe(false);
  });

  it("get titles that no open room has", () => {
    const rooms = [place("1", { title: "kelompok 2" }), place("2", { title: "Kelompok 1", open: false })];
    expect(newTitles(rooms, 2, "Kelompok {number}")).toEqual(["Kelompok 1", "Kelompok 3"]);
  });
});
