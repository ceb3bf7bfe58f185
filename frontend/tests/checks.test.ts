import { expect, test } from "vitest";

import { answersBySpeaking, open, told } from "../src/classroom/checks";

const CHECK = { id: "c1", number: 1, closes_at: 1_000 };

test("an answer is kept when the server tells of the same check again", () => {
  const answered = { check: CHECK, done: true };
  expect(told(answered, { ...CHECK, answered: 0 })?.done).toBe(true);
});

test("what was answered on another device is answered here as well", () => {
  expect(told(null, { ...CHECK, answered: 1 })?.done).toBe(true);
});

test("the next check is a new question", () => {
  expect(told({ check: CHECK, done: true }, { ...CHECK, id: "c2", answered: 0 })?.done).toBe(false);
});

test("a check ends by itself", () => {
  const asked = told(null, CHECK);
  expect([open(asked, 999), open(asked, 1_000), open(null, 0)]).toEqual([true, false, false]);
});

test("who speaks is not interrupted: being heard is the answer", () => {
  const asked = told(null, CHECK);
  expect(answersBySpeaking(asked, 0, true)).toBe(true);
  expect(answersBySpeaking(asked, 0, false)).toBe(false);
  expect(answersBySpeaking(asked, 1_000, true)).toBe(false);
  expect(answersBySpeaking(asked && { ...asked, done: true }, 0, true)).toBe(false);
});
