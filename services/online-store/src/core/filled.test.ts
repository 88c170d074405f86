import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Hold, type PartitionProgress, type PendingConfirmation, pendingMax, settle } from "./confirmation.ts";
import { type LaneView, liftedHolds, missingViews } from "./filled.ts";
import { gapsOf } from "./lane-floors.ts";

const incarnation = 1_000;
const now: LaneView = { lane: "batch", view: "now", viewVersion: 1 };
const other: LaneView = { ...now, view: "other" };

/** Behind rows sent again from `since` on. */
function filling(since: number, sequence: number, more: Partial<PendingConfirmation> = {}): PendingConfirmation {
  return { ...now, incarnation, sequence, confirmedAtMs: 7, fillsBelow: since, ...more };
}

function hold(sequence: number, more: Partial<Hold> = {}): Hold {
  return { lane: "batch", view: "now", incarnation, sequence, ...more };
}

function progress(floor: number, more: Partial<PartitionProgress>): PartitionProgress {
  const floors = new Map([["batch", { incarnation, sequence: floor }] as const]);
  return { floors, holds: [], pending: [], filled: new Map(), confirmed: new Map(), ...more };
}

function settled(floor: number, more: Partial<PartitionProgress>, views: readonly LaneView[] = [now]) {
  const state = progress(floor, more);
  const { confirmed, filled, done } = settle(state);
  const lifted = liftedHolds({ ...state, filled }, views);
  return { confirmedAt: confirmed.get("now:1"), lifted, done, missing: missingViews({ ...state, filled }, views) };
}

describe("a confirmation behind a republish", () => {
  const gap = hold(0, { view: "*" });

  it("counts over holds below the rows sent again, and lifts them", () => {
    const holds = [hold(480), gap];
    expect(settled(520, { pending: [filling(500, 520)], holds })).toEqual({
      confirmedAt: 7,
      lifted: holds,
      done: [filling(500, 520)],
      missing: [],
    });
  });

  it("lifts nothing before the floor has passed it, and nothing in another stream", () => {
    const holds = [hold(480), gap];
    const still = { confirmedAt: undefined, lifted: [], missing: [now] };
    expect(settled(519, { pending: [filling(500, 520)], holds })).toMatchObject(still);
    const ofOther = filling(500, 520, { incarnation: incarnation + 1 });
    expect(settled(10_000, { pending: [ofOther], holds })).toMatchObject(still);
    expect(settled(10_000, { pending: [filling(500, 520)], holds, floors: new Map() })).toMatchObject(still);
  });

  it("leaves what was set aside among the rows sent again, or behind them", () => {
    for (const sequence of [500, 510]) {
      const found = settled(10_000, { pending: [filling(500, 520)], holds: [hold(480), hold(sequence)] });
      expect(found).toMatchObject({ confirmedAt: undefined, lifted: [hold(480)] });
    }
    const above = settled(10_000, { pending: [filling(500, 520)], holds: [hold(530)] });
    expect(above).toMatchObject({ confirmedAt: 7, lifted: [] });
  });

  it("that stands in the stream without its rows fills no gap that reaches into them", () => {
    const holds = [gap, hold(505, { view: "*" })];
    const found = settled(10_000, { pending: [filling(500, 520)], holds });
    expect(found).toMatchObject({ confirmedAt: undefined, lifted: [gap], missing: [now] });
  });

  it("without rows to send fills up to itself", () => {
    expect(settled(520, { pending: [filling(520, 520)], holds: [hold(519), gap] }).lifted).toHaveLength(2);
  });

  it("that confirms nothing fills and sets no age", () => {
    const pending = [filling(500, 520, { confirmedAtMs: 0 })];
    expect(settled(520, { pending, holds: [gap] })).toEqual({
      confirmedAt: undefined,
      lifted: [gap],
      done: pending,
      missing: [],
    });
    expect(settled(520, { pending, confirmed: new Map([["now:1", 5]]) }).confirmedAt).toBe(5);
  });

  it("lets an ordinary one count that had waited for a hold below", () => {
    const waiting = filling(0, 490, { fillsBelow: undefined, confirmedAtMs: 6 } as object);
    const pending = [waiting, filling(500, 520, { confirmedAtMs: 0 })];
    expect(settled(520, { pending, holds: [hold(480)] }).confirmedAt).toBe(6);
  });

  it("lifts a gap of the lane once every view of it is filled, and only for today's versions", () => {
    const views = [now, other];
    const first = settled(600, { pending: [filling(500, 520)], holds: [gap] }, views);
    expect(first).toMatchObject({ confirmedAt: 7, lifted: [], missing: [other] });
    const pending = [filling(500, 520), filling(530, 540, other)];
    expect(settled(600, { pending, holds: [gap] }, views)).toMatchObject({ lifted: [gap], missing: [] });
    const newer = [now, { ...other, viewVersion: 2 }];
    expect(settled(600, { pending, holds: [gap, hold(1, { view: "other" })] }, newer).lifted).toEqual([]);
  });

  it("lifts no hold of a view that the catalog has not, and no gap of a lane without views", () => {
    const holds = [hold(480), gap];
    for (const views of [[], [{ ...now, lane: "stream" as const }]])
      expect(settled(600, { pending: [filling(500, 520)], holds }, views)).toMatchObject({ lifted: [], missing: [] });
  });

  it("is not dropped while many others wait", () => {
    const marker = filling(2, 3);
    const many = Array.from({ length: 3 * pendingMax }, (_, i) =>
      filling(0, 10 + i, { fillsBelow: undefined } as object),
    );
    const { done } = settle(progress(1, { pending: [marker, ...many], holds: [hold(1)] }));
    expect(done).not.toContain(marker);
    const markers = many.map(({ sequence }) => filling(sequence, sequence));
    const left = markers.length - settle(progress(1, { pending: markers })).done.length;
    expect(left).toBeLessThanOrEqual(3 * pendingMax - pendingMax);
  });

  it("fills the same in whatever order such ones are looked at", () => {
    const entries = fc.array(
      fc.tuple(fc.nat(50), fc.nat(10), fc.constantFrom(now, other), fc.constantFrom(incarnation, incarnation + 1)),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(entries, fc.nat(60), fc.infiniteStream(fc.nat()), (places, floor, order) => {
        const all = places.map(([sequence, back, view, of]) =>
          filling(Math.max(0, sequence - back), sequence, { ...view, incarnation: of }),
        );
        const atOnce = settle(progress(floor, { pending: all })).filled;
        let filled: PartitionProgress["filled"] = new Map();
        const left = [...all];
        while (left.length > 0) {
          const [one] = left.splice((order.next().value as number) % left.length, 1);
          if (one !== undefined) filled = settle(progress(floor, { pending: [one], filled })).filled;
        }
        expect(filled).toEqual(atOnce);
      }),
    );
  });
});

it("gaps and what was set aside are told by partition, and by view", () => {
  const gap = hold(0, { view: "*" });
  const filled = new Map([["batch:now:1", { incarnation, sequence: 5 }]]);
  const found = gapsOf(
    [
      { holds: [gap], filled: new Map() },
      { holds: [hold(4)], filled: new Map() },
      { holds: [gap, hold(4)], filled },
    ],
    [now, other],
  );
  const byView = (views: Record<string, number[]>) => new Map([["batch", new Map(Object.entries(views))]]);
  expect(found).toEqual({
    partitions: new Map([["batch", [0, 2]]]),
    views: byView({ now: [0], other: [0, 2] }),
    held: byView({ now: [1] }),
  });
});
