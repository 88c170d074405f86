import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Hold, type PartitionProgress, type PendingConfirmation, pendingMax, settle } from "./confirmation.ts";
import { holdField, pendingField, readHolds, readPending } from "./progress-fields.ts";

const incarnation = 1_000;

function pending(
  sequence: number,
  confirmedAtMs: number,
  more: Partial<PendingConfirmation> = {},
): PendingConfirmation {
  return { lane: "stream", view: "now", viewVersion: 1, incarnation, sequence, confirmedAtMs, ...more };
}

function hold(sequence: number, more: Partial<Hold> = {}): Hold {
  return { lane: "stream", view: "now", incarnation, sequence, ...more };
}

function progress(floor: number, more: Partial<PartitionProgress>): PartitionProgress {
  return {
    floors: new Map([["stream", { incarnation, sequence: floor }]]),
    holds: [],
    pending: [],
    confirmed: new Map(),
    ...more,
  };
}

function confirmedAt(state: PartitionProgress, id = "now:1"): number | undefined {
  return settle(state).confirmed.get(id);
}

describe("a confirmation", () => {
  it("counts once the applied floor has reached it, and not before", () => {
    expect(confirmedAt(progress(499, { pending: [pending(500, 7)] }))).toBeUndefined();
    expect(confirmedAt(progress(500, { pending: [pending(500, 7)] }))).toBe(7);
  });

  it("never counts when another instance has set aside a message below it", () => {
    const state = { pending: [pending(500, 7)], holds: [hold(480)] };
    expect(confirmedAt(progress(10_000, state))).toBeUndefined();
    expect(settle(progress(10_000, state)).done).toEqual([]);
  });

  it("counts when the hold lies above it, or is of another view or lane", () => {
    for (const other of [hold(501), hold(480, { view: "profile" }), hold(480, { lane: "batch" })]) {
      expect(confirmedAt(progress(10_000, { pending: [pending(500, 7)], holds: [other] }))).toBe(7);
    }
  });

  it("is held back by a gap of the whole lane and by one in an earlier stream", () => {
    for (const other of [hold(0, { view: "*" }), hold(9_999, { incarnation: incarnation - 1 })]) {
      expect(confirmedAt(progress(10_000, { pending: [pending(500, 7)], holds: [other] }))).toBeUndefined();
    }
  });

  it("of an earlier stream is dropped: nothing will tell whether it may count", () => {
    const old = pending(3, 7, { incarnation: incarnation - 1 });
    expect(settle(progress(10_000, { pending: [old] }))).toEqual({ confirmed: new Map(), done: [old] });
  });

  it("does not count without a floor of this epoch, though the broker's is past it", () => {
    expect(confirmedAt({ ...progress(0, { pending: [pending(500, 7)] }), floors: new Map() })).toBeUndefined();
  });

  it("is done with once it counts, and so are all that say less", () => {
    const entries = [pending(500, 7), pending(400, 6), pending(700, 9)];
    const { confirmed, done } = settle(progress(600, { pending: entries, confirmed: new Map([["now:1", 5]]) }));
    expect(confirmed.get("now:1")).toBe(7);
    expect(done).toEqual(entries.slice(0, 2));
  });

  it("keeps to its view version", () => {
    const { confirmed } = settle(progress(600, { pending: [pending(500, 7, { viewVersion: 2 })] }));
    expect(confirmed).toEqual(new Map([["now:2", 7]]));
  });

  it("never makes more than a bounded number wait", () => {
    let waiting: PendingConfirmation[] = [];
    for (let sequence = 1; sequence <= 1_000; sequence++) {
      const state = progress(2_000, { pending: [...waiting, pending(sequence + 10, sequence)], holds: [hold(1)] });
      const done = new Set(settle(state).done);
      waiting = state.pending.filter((entry) => !done.has(entry));
      expect(waiting.length).toBeLessThanOrEqual(pendingMax);
    }
    expect(waiting.at(-1)?.confirmedAtMs).toBe(1_000);
  });
});

type Kind = "row" | "poison" | "confirm";
const messagesArbitrary = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>("row", "row", "confirm", "confirm", "poison"),
    view: fc.constantFrom("now", "other"),
  }),
  { minLength: 1, maxLength: 12 },
);

describe("confirmations of a stream that instances apply in any order", () => {
  it("count only when every earlier message of their view is applied, and in the end all of those do", () => {
    fc.assert(
      fc.property(messagesArbitrary, fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (messages, choices) => {
        const model = new StreamModel(messages);
        for (const choice of choices) {
          model.step(choice);
          model.check();
        }
        model.finish();
        model.check();
        expect(model.confirmed).toEqual(model.expectedInTheEnd());
      }),
      { numRuns: 500 },
    );
  });
});

/** Messages are applied and then acknowledged, each on its own; floors are written and judged at any moment in between. */
class StreamModel {
  confirmed: ReadonlyMap<string, number> = new Map();
  readonly #messages: readonly { readonly kind: Kind; readonly view: string }[];
  readonly #applied = new Set<number>();
  readonly #acked = new Set<number>();
  #holds: Hold[] = [];
  #pending: PendingConfirmation[] = [];
  #floor = 0;

  constructor(messages: readonly { readonly kind: Kind; readonly view: string }[]) {
    this.#messages = messages;
  }

  step(choice: number): void {
    const sequence = (choice % this.#messages.length) + 1;
    const action = Math.floor(choice / this.#messages.length) % 4;
    if (action === 0) this.#apply(sequence);
    else if (action === 1 && this.#applied.has(sequence)) this.#acked.add(sequence);
    else if (action === 2) this.#floor = this.#ackFloor();
    else this.#settle();
  }

  finish(): void {
    for (let sequence = 1; sequence <= this.#messages.length; sequence++) {
      this.#apply(sequence);
      this.#acked.add(sequence);
    }
    this.#floor = this.#ackFloor();
    this.#settle();
  }

  check(): void {
    for (const [id, at] of this.confirmed) {
      const before = this.#messages.slice(0, at - 1).map((message, i) => ({ ...message, sequence: i + 1 }));
      for (const message of before.filter((one) => `${one.view}:1` === id)) {
        expect(message.kind).not.toBe("poison");
        expect(this.#applied).toContain(message.sequence);
      }
    }
  }

  expectedInTheEnd(): ReadonlyMap<string, number> {
    const expected = new Map<string, number>();
    for (const view of ["now", "other"]) {
      const own = this.#messages
        .map((message, i) => ({ ...message, sequence: i + 1 }))
        .filter((one) => one.view === view);
      const poison = own.find((one) => one.kind === "poison")?.sequence ?? Number.POSITIVE_INFINITY;
      const last = own.findLast((one) => one.kind === "confirm" && one.sequence < poison);
      if (last) expected.set(`${view}:1`, last.sequence);
    }
    return expected;
  }

  /** Idempotent, as deliveries are. A confirmation says its own sequence as its instant. */
  #apply(sequence: number): void {
    const { kind, view } = this.#messages[sequence - 1] as { kind: Kind; view: string };
    this.#applied.add(sequence);
    const [asHold, asPending] = [hold(sequence, { view }), pending(sequence, sequence, { view })];
    // Through the fields that Redis holds.
    if (kind === "poison")
      this.#holds = readHolds(fields([...this.#holds, asHold].map((one) => [holdField(one), "x"])));
    if (kind === "confirm") {
      const all = [...this.#pending, asPending].map((one) => [pendingField(one), String(one.confirmedAtMs)] as const);
      this.#pending = readPending(fields(all));
    }
  }

  #ackFloor(): number {
    let floor = 0;
    while (this.#acked.has(floor + 1)) floor += 1;
    return floor;
  }

  #settle(): void {
    const state = progress(this.#floor, { holds: this.#holds, pending: this.#pending, confirmed: this.confirmed });
    const { confirmed, done } = settle(state);
    const gone = new Set(done);
    this.confirmed = confirmed;
    this.#pending = this.#pending.filter((entry) => !gone.has(entry));
  }
}

function fields(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries);
}
