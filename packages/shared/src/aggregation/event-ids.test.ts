import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CountedId, countId, emptyIds, eventId, isCounted, newestIdMs } from "./event-ids.ts";
import { addEvent, emptyKeyState } from "./key-state.ts";
import { decodeKeyState, encodeKeyState } from "./key-state-codec.ts";
import { windowLayout } from "./window-layout.ts";

const layout = windowLayout({
  hopMs: 10,
  windows: [{ name: "w", ms: 20 }],
  aggregations: [{ name: "n", op: "count" }],
});
const idsMax = 6;
const dedupeMs = 50;
const step = fc.record({
  id: fc.nat(12).map(eventId),
  timeMs: fc.integer({ min: -100, max: 200 }),
  horizonAheadMs: fc.nat(20),
});

/** Naively: of each id its newest use. */
function remember(list: readonly CountedId[], event: CountedId): CountedId[] {
  const isOlder = list.some(({ id, timeMs }) => id === event.id && timeMs > event.timeMs);
  return isOlder ? [...list] : [...list.filter(({ id }) => id !== event.id), event];
}

describe("ids of events", () => {
  it("know what a naive list knows, wherever they are stored and read again", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, storedAt) => {
        let ids = emptyIds();
        let naive: CountedId[] = [];
        let horizonMs = -120;
        steps.forEach(({ id, timeMs, horizonAheadMs }, i) => {
          horizonMs += horizonAheadMs;
          const alive = naive.filter((one) => one.timeMs >= horizonMs);
          const isKnown = alive.some((one) => one.id === id && Math.abs(one.timeMs - timeMs) <= dedupeMs);
          expect(isCounted(ids, { id, timeMs }, { dedupeMs, horizonMs })).toBe(isKnown);
          if (!isKnown) {
            countId(ids, { id, timeMs }, horizonMs, 1_000);
            naive = remember(alive, { id, timeMs });
          }
          if (i === storedAt) ids = storedAgain(ids);
        });
        expect(new Map(ids.order.map((one) => [one.id, one.timeMs]))).toEqual(ids.known);
        expect(ids.order.map(({ timeMs }) => timeMs)).toEqual([...ids.known.values()].toSorted((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it("beyond their number forget the one with the least event time, of equal ones the first counted", () => {
    const ids = emptyIds();
    const given = [5, 3, 9, 3, 7, 8, 6, 4].map((timeMs, i) => ({ id: eventId(i), timeMs }));
    for (const event of given) countId(ids, event, Number.NEGATIVE_INFINITY, idsMax);
    expect(ids.order).toEqual([7, 0, 6, 4, 5, 2].map((i) => given[i]));
    expect(newestIdMs(ids)).toBe(9);
  });

  it("take twelve bytes whatever their length, and tell texts and numbers apart by nothing but their text", () => {
    expect(Buffer.from(eventId("x".repeat(4_000)), "base64url")).toHaveLength(12);
    expect(eventId(5)).toBe(eventId("5"));
    expect(eventId("5")).not.toBe(eventId("05"));
  });
});

describe("the stored state of a key", () => {
  /** As it was first written: without ids these bytes stay. */
  const golden = "lQGqMTAsY291bnQ6KgWRkgADkA==";
  const plain = () => {
    const state = emptyKeyState();
    for (const timeMs of [1, 3, 5]) addEvent(layout, state, { timeMs, values: [] }, 10);
    return state;
  };

  it("from before ids is read, and written the same while there are none", () => {
    expect(Buffer.from(encodeKeyState(layout, plain())).toString("base64")).toBe(golden);
    expect(decodeKeyState(layout, Buffer.from(golden, "base64"))).toEqual(plain());
  });

  it("comes back with its ids, and is refused when they are cut", () => {
    const state = { ...plain(), ids: emptyIds() };
    for (const timeMs of [5, -3, 986_000_000_000])
      countId(state.ids, { id: eventId(timeMs), timeMs }, Number.NEGATIVE_INFINITY, idsMax);
    const bytes = encodeKeyState(layout, state);
    expect(decodeKeyState(layout, bytes)).toEqual(state);
    const { order } = state.ids;
    const cut = encodeKeyState(layout, { ...state, ids: { ...state.ids, order: [...order, { id: "", timeMs: 1 }] } });
    expect(() => decodeKeyState(layout, cut)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
  });
});

function storedAgain(ids: ReturnType<typeof emptyIds>): ReturnType<typeof emptyIds> {
  return decodeKeyState(layout, encodeKeyState(layout, { ...emptyKeyState(), ids })).ids ?? emptyIds();
}
