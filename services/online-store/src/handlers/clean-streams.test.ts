import type { Lane } from "@tributary/shared/contracts/catalog";
import { createLogger } from "@tributary/shared/runtime/logger";
import { describe, expect, it } from "vitest";
import { cleanStream, type JanitorOptions, type RowStream } from "./clean-streams.ts";

const minute = 60_000;
interface Given {
  readonly messages?: number;
  readonly bytes?: number;
  readonly ackFloor?: number;
  readonly applied?: number;
  readonly held?: readonly number[];
  readonly keepMs?: number;
  /** Sequences that are gone already. */
  readonly holes?: readonly number[];
}

/** A stream of messages 11, 12, …, a minute apart, the last one now; what is taken from it. */
async function clean(given: Given): Promise<number[]> {
  const { messages = 100, bytes = 90, ackFloor = 1_000, applied = 1_000, held = [], keepMs = 0, holes = [] } = given;
  const now = Date.now();
  const removed: number[] = [];
  const last = 10 + messages;
  const stream: RowStream = {
    fullness: async () => ({ bytes, maxBytes: 100, firstSequence: 11, messages }),
    ackFloor: async () => ackFloor,
    messageAt: async (from) => {
      let sequence = from;
      while (holes.includes(sequence)) sequence += 1;
      return sequence > last ? undefined : { sequence, timestampMs: now - (last - sequence) * minute };
    },
    remove: async (sequence) => removed.push(sequence) > 0,
  };
  const options: JanitorOptions = {
    streams: { batch: stream, stream, direct: stream },
    appliedFloor: (_lane: Lane) => applied,
    heldSequences: async () => new Set(held),
    lease: { take: async () => true, renew: async () => true, release: async () => undefined },
    counters: { removed: 0 },
    logger: createLogger({ name: "test", level: "silent" }),
    everyMs: 1,
    keepMs,
  };
  await cleanStream(options, "direct");
  expect(options.counters.removed).toBe(removed.length);
  return removed.sort((a, b) => a - b);
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("the janitor", () => {
  it("takes nothing from a stream that is at most half full, and then as much as brings it to two fifths", async () => {
    expect(await clean({ bytes: 50 })).toEqual([]);
    expect(await clean({ bytes: 80 })).toEqual(range(11, 60));
  });

  it("takes nothing that is not acknowledged, or that Redis does not say is applied", async () => {
    expect(await clean({ bytes: 80, ackFloor: 20 })).toEqual(range(11, 20));
    expect(await clean({ bytes: 80, applied: 15 })).toEqual(range(11, 15));
    expect(await clean({ bytes: 80, ackFloor: 10 })).toEqual([]);
  });

  it("takes nothing that was published less than the kept time ago", async () => {
    expect(await clean({ bytes: 80, keepMs: 90.5 * minute })).toEqual(range(11, 19));
    expect(await clean({ bytes: 80, keepMs: 90.5 * minute, holes: range(12, 17) })).toEqual(range(11, 19));
    expect(await clean({ bytes: 80, keepMs: 200 * minute })).toEqual([]);
  });

  it("goes round what was set aside", async () => {
    expect(await clean({ bytes: 80, ackFloor: 15, held: [11, 13] })).toEqual([12, 14, 15]);
    const again = { bytes: 80, messages: 10, held: [11, 50], holes: [...range(12, 49), ...range(51, 90)] };
    expect(await clean({ ...again, messages: 100 })).toEqual(range(91, 110));
  });
});
