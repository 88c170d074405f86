import { expect, test } from "vitest";
import { historyLoss } from "./cursor-history.ts";

const state = { incarnation: 1_000, firstSequence: 50, lastSequence: 90, messages: 41, bytes: 0 };
const loss = (position: number, incarnation: number | undefined, at = state) =>
  historyLoss(at, { stream: "S", incarnation, position })?.message;

test("a reader loses exactly what lies between its position and the stream's first sequence", () => {
  expect(loss(49, 1_000)).toBeUndefined();
  expect(loss(90, undefined)).toBeUndefined();
  expect(loss(48, 1_000)).toBe("stream S begins at 50, the position is 48");
  expect(loss(91, 1_000)).toBe("stream S ends at 90, the position is 91");
  expect(loss(60, 2_000)).toContain("made anew");
});

test("an empty stream begins after its last sequence", () => {
  const empty = { ...state, firstSequence: 91, messages: 0 };
  expect(loss(90, 1_000, empty)).toBeUndefined();
  expect(loss(89, 1_000, empty)).toContain("begins at 91");
  expect(loss(0, undefined, { ...empty, firstSequence: 1, lastSequence: 0 })).toBeUndefined();
});
