import { expect, test } from "vitest";

import { answersBySpeaking, open, share, told } from "../src/classroom/checks";

const CHECK = { id: "c1", number: 1, closes_at: 1_000 };

test("an answer is kept when the server tells of the same check again", () => {
  const answered = { check: CHECK, done: true };
  expect(told(answered, { ...CHECK, answered: 0 }, 0)?.done).toBe(true);
});

test("what was answered on another device is answered here as well", () => {
  expect(told(null, { ...CHECK, answered: 1 }, 0)?.done).toBe(true);
});

test("the next check is a new question", () => {
  expect(told({ check: CHECK, done: true }, { ...CHECK, id: "c2", answered: 0 }, 0)?.done).toBe(false);
});

test("a check ends by itself", () => {
  const asked = told(null, CHECK, 0);
  expect([open(asked, 999), open(asked, 1_000), open(null, 0)]).toEqual([true, false, false]);
});

test("who speaks is not interrupted: being heard is the answer", () => {
  const asked = told(null, CHECK, 0);
  expect(answersBySpeaking(asked, 0, true)).toBe(true);
  expect(answersBySpeaking(asked, 0, false)).toBe(false);
  expect(answersBySpeaking(asked, 1_000, true)).toBe(false);
  expect(answersBySpeaking(asked && { ...asked, done: true }, 0, true)).toBe(false);
});

test("an older answer that knows of no check does not take an open one away", () => {
  const asked = told(null, CHECK, 0);
  expect([told(asked, null, 999), told(asked, null, 1_000), told(null, null, 0)]).toEqual([asked, null, null]);
});

test("the time that is left shrinks from all to nothing, whatever the clocks say", () => {
  expect([0, 250, 1_000, 2_000, -5].map((now) => share(0, 1_000, now))).toEqual([1, 0.75, 0, 0, 1]);
  expect(share(1_000, 1_000, 1_000)).toBe(0);
});
