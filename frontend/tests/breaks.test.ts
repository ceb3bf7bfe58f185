import { expect, test } from "vitest";

import { minutesLeft, presentBreak, turned, type Break } from "../src/classroom/breaks";

const BREAK: Break = [60_000, 660_000];

test("a break is from its begin until just before its end", () => {
  expect([59_999, 60_000, 659_999, 660_000].map((now) => presentBreak([BREAK], now))).toEqual([null, BREAK, BREAK, null]);
});

test("a break is said once when it begins and once when it ends, and not when it gets another end", () => {
  expect(turned(null, BREAK)).toBe("began");
  expect(turned(BREAK, BREAK)).toBe(null);
  expect(turned(BREAK, [60_000, 900_000])).toBe(null);
  expect(turned(BREAK, null)).toBe("ended");
});

test("what is left of a break is whole minutes, and never none", () => {
  expect([minutesLeft(BREAK, 60_000), minutesLeft(BREAK, 650_000)]).toEqual([10, 1]);
});
