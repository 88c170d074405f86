/** An instant in a store's work, known from outside: by what it says to Redis or to the broker. */
export interface Failpoint {
  readonly name: string;
  readonly does: string;
  readonly seen:
    | {
        /** A command to Redis, or the answer to it on its way back. */
        readonly on: "command" | "answer";
        readonly matches: (command: readonly string[]) => boolean;
        /** Of a command: whether Redis still gets it. */
        readonly isForwarded?: boolean;
      }
    /** An acknowledgement to the broker, which does not get it. */
    | { readonly on: "ack" };
  /** The store dies at the n-th time that it is seen, n from 1 to this, chosen by the seed. */
  readonly timesMax: number;
  /** What has to be published for it to happen, besides the load. */
  readonly bait?: "fresh shape" | "poison";
}

export const failpoints: readonly Failpoint[] = [
  {
    name: "before-compare-and-set",
    does: "records are read and merged, the compare-and-set is not sent",
    seen: { on: "command", matches: isCompareAndSet },
    timesMax: 3,
  },
  {
    name: "in-compare-and-set",
    does: "the compare-and-set is sent, and nobody is there for its answer",
    seen: { on: "command", matches: isCompareAndSet, isForwarded: true },
    timesMax: 3,
  },
  {
    name: "after-compare-and-set",
    does: "records are written, nothing is acknowledged",
    seen: { on: "answer", matches: isCompareAndSet },
    timesMax: 3,
  },
  {
    name: "before-ack",
    does: "a batch is written, none of its acknowledgements has left",
    seen: { on: "ack" },
    timesMax: 1,
  },
  {
    name: "between-acks",
    does: "some acknowledgements have left and others not",
    seen: { on: "ack" },
    timesMax: 6,
  },
  {
    name: "before-pending",
    does: "a confirmation is in hand and not written as pending",
    seen: { on: "command", matches: (command) => isOn(command, "hset", "!pending") },
    timesMax: 2,
  },
  {
    name: "after-pending",
    does: "a confirmation is pending and not acknowledged",
    seen: { on: "answer", matches: (command) => isOn(command, "hset", "!pending") },
    timesMax: 2,
  },
  {
    name: "after-hold",
    does: "the hold of a poison message is written, the message neither set aside nor terminated",
    seen: { on: "answer", matches: (command) => isOn(command, "hset", "!holds") },
    timesMax: 1,
    bait: "poison",
  },
  {
    name: "after-shape",
    does: "a new shape is written, the record that names it is not",
    seen: { on: "answer", matches: (command) => isOn(command, "hsetnx", "!shapes") },
    timesMax: 1,
    bait: "fresh shape",
  },
  {
    name: "before-floor-write",
    does: "rows are acknowledged, and the floor that says so is not written",
    seen: { on: "command", matches: isFloorWrite },
    timesMax: 3,
  },
];

function isOn([name, key]: readonly string[], command: string, keyEnd: string): boolean {
  return name?.toLowerCase() === command && key?.endsWith(keyEnd) === true;
}

/** A script whose first key is the partition's shapes: EVALSHA sha, number of keys, key … */
function isCompareAndSet(command: readonly string[]): boolean {
  return isScriptOn(command, "!shapes");
}

function isFloorWrite(command: readonly string[]): boolean {
  return isScriptOn(command, "!floor");
}

function isScriptOn([name, , , key]: readonly string[], keyEnd: string): boolean {
  return /^eval(sha)?$/i.test(name ?? "") && key?.endsWith(keyEnd) === true;
}
