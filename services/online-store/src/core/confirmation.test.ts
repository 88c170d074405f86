import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Hold, type PartitionProgress, type PendingConfirmation, pendingMax, settle } from "./confirmation.ts";
import { type Filled, liftedHolds } from "./filled.ts";
import { holdField, pendingField, pendingValue, readHolds, readPending } from "./progress-fields.ts";

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
    filled: new Map(),
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
    expect(settle(progress(10_000, { pending: [old] }))).toMatchObject({ confirmed: new Map(), done: [old] });
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

type Kind = "row" | "poison" | "confirm" | "whole";
interface ModelMessage {
  readonly kind: Kind;
  readonly view: string;
  /** Of one that fills: how many messages before it the rows sent again begin. */
  readonly back: number;
}
const messagesArbitrary = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>("row", "row", "confirm", "confirm", "poison", "whole"),
    view: fc.constantFrom("now", "other"),
    back: fc.nat(4),
  }),
  { minLength: 1, maxLength: 12 },
);

describe("confirmations of a stream that instances apply in any order", () => {
  it("count only when every earlier message of their view is applied or sent again, and in the end all of those do", () => {
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
  readonly #messages: readonly (ModelMessage & { readonly sequence: number })[];
  readonly #applied = new Set<number>();
  readonly #acked = new Set<number>();
  #holds: readonly Hold[] = [];
  #pending: readonly PendingConfirmation[] = [];
  #filled: Filled = new Map();
  #floor = 0;

  constructor(messages: readonly ModelMessage[]) {
    this.#messages = messages.map((message, i) => ({ ...message, sequence: i + 1 }));
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
    for (const { sequence } of this.#messages) {
      this.#apply(sequence);
      this.#acked.add(sequence);
    }
    this.#floor = this.#ackFloor();
    this.#settle();
  }

  check(): void {
    for (const [id, at] of this.confirmed) {
      for (const message of this.#of(id).filter(({ sequence }) => sequence < at)) {
        expect(this.#applied).toContain(message.sequence);
        if (message.kind === "poison") expect(this.#isSentAgain(message, this.#applied)).toBe(true);
      }
    }
  }

  expectedInTheEnd(): ReadonlyMap<string, number> {
    const expected = new Map<string, number>();
    for (const id of ["now:1", "other:1"]) {
      const own = this.#of(id);
      const poison = own.find((one) => one.kind === "poison" && !this.#isSentAgain(one, this.#applied));
      const last = own.findLast(
        ({ kind, sequence }) => isConfirming(kind) && sequence < (poison?.sequence ?? Number.POSITIVE_INFINITY),
      );
      if (last) expected.set(id, last.sequence);
    }
    return expected;
  }

  #of(id: string) {
    return this.#messages.filter((one) => `${one.view}:1` === id);
  }

  /** A republish began behind it and came to its end. */
  #isSentAgain({ sequence, view }: { sequence: number; view: string }, applied: ReadonlySet<number>): boolean {
    const filling = this.#messages.filter((one) => one.kind === "whole" && one.view === view);
    return filling.some((one) => applied.has(one.sequence) && one.sequence - one.back > sequence);
  }

  /** Idempotent, as deliveries are. A confirmation says its own sequence as its instant. */
  #apply(sequence: number): void {
    const { kind, view, back } = this.#messages[sequence - 1] as ModelMessage;
    this.#applied.add(sequence);
    const filling = kind === "whole" ? { fillsBelow: Math.max(0, sequence - back) } : {};
    const [asHold, asPending] = [hold(sequence, { view }), pending(sequence, sequence, { view, ...filling })];
    // Through the fields that Redis holds.
    if (kind === "poison")
      this.#holds = readHolds(fields([...this.#holds, asHold].map((one) => [holdField(one), "x"])));
    if (isConfirming(kind)) {
      const all = [...this.#pending, asPending].map((one) => [pendingField(one), pendingValue(one)] as const);
      this.#pending = readPending(fields(all));
    }
  }

  #ackFloor(): number {
    let floor = 0;
    while (this.#acked.has(floor + 1)) floor += 1;
    return floor;
  }

  #settle(): void {
    const [holds, entries, filled] = [this.#holds, this.#pending, this.#filled];
    const state = progress(this.#floor, { holds, pending: entries, filled, confirmed: this.confirmed });
    const settled = settle(state);
    const gone = new Set(settled.done);
    this.confirmed = settled.confirmed;
    this.#filled = settled.filled;
    this.#pending = this.#pending.filter((entry) => !gone.has(entry));
    const lifted = new Set(liftedHolds({ holds: this.#holds, filled: this.#filled }, views));
    this.#holds = this.#holds.filter((one) => !lifted.has(one));
  }
}

const views = ["now", "other"].map((view) => ({ lane: "stream" as const, view, viewVersion: 1 }));

function isConfirming(kind: Kind): boolean {
  return kind === "confirm" || kind === "whole";
}

function fields(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(entries);
}
