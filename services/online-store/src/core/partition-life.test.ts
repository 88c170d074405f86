import { describe, expect, it } from "vitest";
import { epochOf, isAlive, isWhole, lifeOf, replayRange } from "./partition-life.ts";

const floors = new Map();
const life = lifeOf("run1", "a");

describe("a partition's life", () => {
  it("is over when another run of the server answers", () => {
    expect(isAlive({ run: "run1", life, whole: life, floors })).toBe(true);
    expect(isAlive({ run: "run2", life, whole: life, floors })).toBe(false);
    expect(isAlive({ run: "run", life, whole: life, floors })).toBe(false);
  });

  it("has not begun where the server was emptied", () => {
    expect(isAlive({ run: "run1", life: undefined, whole: undefined, floors })).toBe(false);
  });

  it("is whole only as that life, not as an earlier one of the same run", () => {
    expect(isWhole({ run: "run1", life, whole: life, floors })).toBe(true);
    expect(isWhole({ run: "run1", life: lifeOf("run1", "b"), whole: life, floors })).toBe(false);
    expect(isWhole({ run: "run1", life, whole: undefined, floors })).toBe(false);
    expect(isWhole({ run: "run2", life, whole: life, floors })).toBe(false);
  });
});

describe("the epoch", () => {
  const at = (random: string) => ({ run: "run1", life: lifeOf("run1", random), whole: undefined, floors });

  it("is one for all who see the same lives, however far they have come", () => {
    const later = { ...at("a"), whole: life, floors: new Map([["direct" as const, { incarnation: 1, sequence: 9 }]]) };
    expect(epochOf([at("a"), at("b")])).toBe(epochOf([later, at("b")]));
  });

  it("is another one as soon as one partition begins a new life", () => {
    const epochs = [[at("a"), at("b")], [at("a"), at("c")], [at("b"), at("a")], [at("a")]].map(epochOf);
    expect(new Set(epochs).size).toBe(epochs.length);
  });
});

describe("what is replayed", () => {
  const stream = { incarnation: 7, firstSequence: 1, delivered: 100 };

  it("lies behind the partition's own floor", () => {
    expect(replayRange({ incarnation: 7, sequence: 90 }, stream)).toEqual({ after: 90, hasGap: false });
  });

  it("is all that the stream holds where no floor is", () => {
    expect(replayRange(undefined, stream)).toEqual({ after: 0, hasGap: false });
  });

  it("has a gap where the stream begins above the floor", () => {
    const from = (firstSequence: number) => replayRange({ incarnation: 7, sequence: 90 }, { ...stream, firstSequence });
    expect(from(91)).toEqual({ after: 90, hasGap: false });
    expect(from(92)).toEqual({ after: 90, hasGap: true });
    expect(from(101)).toEqual({ after: 90, hasGap: true });
  });

  it("has none where nothing behind the floor was ever delivered, whatever was purged", () => {
    const purged = { ...stream, firstSequence: 101 };
    expect(replayRange({ incarnation: 7, sequence: 100 }, purged)).toEqual({ after: 100, hasGap: false });
    expect(replayRange(undefined, { incarnation: 7, firstSequence: 1, delivered: 0 }).hasGap).toBe(false);
  });

  it("has a gap where the floor is of a stream that was made anew", () => {
    expect(replayRange({ incarnation: 6, sequence: 90 }, stream)).toEqual({ after: 0, hasGap: true });
  });
});
