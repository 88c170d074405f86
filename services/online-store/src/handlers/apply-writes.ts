import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Version } from "@tributary/shared/contracts/version";
import type { Turns } from "@tributary/shared/runtime/event-loop-turns";
import type { Records, Replacement } from "../adapters/redis-records.ts";
import { knowingShapes, type Shapes } from "../adapters/redis-shapes.ts";
import { mergeRecord, type SectionWrite } from "../core/cell-merge.ts";
import type { RecordWrite } from "../core/chunk-rows.ts";
import { eraseRecord } from "../core/erase-record.ts";
import { groupBy } from "../core/group-by.ts";
import { decodeRecord, encodeRecord, nonceBytes } from "../core/record.ts";
import { UnknownShape } from "../core/shape.ts";

/**
 * Read, merge in the process, compare-and-set; what somebody else wrote in between is read and merged again. Where a round is
 * lost another writer has won it, so all together always move on; the random pause keeps two in step from losing by turns.
 */
const roundsMax = 64;
const roundsInStride = 2;
const pauseMsMax = 32;
/** A look at the clock for each record would cost more than it gains. */
const recordsBetweenTurns = 16;

export interface Applied {
  /** Keys of records whose stored bytes fail their checks; nothing was written there. */
  readonly corrupt: ReadonlySet<string>;
  readonly conflicts: number;
}

/** Up to which version a record is erased, by the record's key. */
export type ErasedAt = (key: string) => Version | undefined;

export interface ApplyOptions {
  /** What is known of erasures besides what the records say: Redis may have been emptied (R2). */
  readonly erasedAt?: ErasedAt;
  /** Between records; without them all that one round read is merged in one go. */
  readonly turns?: Turns;
}

/** @throws TributaryError UNAVAILABLE; some may be written then, and writing them again changes nothing */
export function applyWrites(
  records: Records,
  writes: readonly RecordWrite[],
  { erasedAt = () => undefined, turns }: ApplyOptions = {},
): Promise<Applied> {
  return change(records, { byKey: groupBy(writes, (write) => write.key), erasedAt, turns });
}

/** As writes of nothing: the records then say themselves up to where they are erased. @throws as `applyWrites` */
export function applyErasures(records: Records, keys: readonly string[], erasedAt: ErasedAt): Promise<Applied> {
  return change(records, { byKey: new Map(keys.map((key) => [key, []])), erasedAt, turns: undefined });
}

interface Changes {
  readonly byKey: ReadonlyMap<string, readonly SectionWrite[]>;
  readonly erasedAt: ErasedAt;
  readonly turns: Turns | undefined;
}

async function change(records: Records, { byKey, erasedAt, turns }: Changes): Promise<Applied> {
  const corrupt = new Set<string>();
  let keys = [...byKey.keys()];
  let conflicts = 0;
  for (let round = 0; keys.length > 0; round++) {
    if (round === roundsMax)
      throw new TributaryError("UNAVAILABLE", `records changed under ${roundsMax} rounds of writes`);
    if (round > roundsInStride) await pause(Math.random() * Math.min(2 ** (round - roundsInStride), pauseMsMax));
    const stored = await records.read(keys);
    // One call for all: a call a record costs a fifth of the whole merge.
    const nonces = randomBytes(nonceBytes * keys.length);
    const replacements: Replacement[] = [];
    for (const [i, key] of keys.entries()) {
      const nonce = nonces.subarray(i * nonceBytes, (i + 1) * nonceBytes);
      const erased = erasedAt(key);
      const merge = { key, previous: stored[i] ?? null, writes: byKey.get(key) ?? [], erased, nonce };
      let merged = mergeNow(records.shapes, merge);
      if (merged === "unknown shape") merged = await mergeOnceKnown(records.shapes, merge);
      if (merged === "corrupt") corrupt.add(key);
      else if (merged !== undefined) replacements.push(merged);
      if (i % recordsBetweenTurns === 0) await turns?.next();
    }
    keys = await records.replace(replacements);
    conflicts += keys.length;
  }
  return { corrupt, conflicts };
}

interface Merge {
  readonly key: string;
  readonly previous: Buffer | null;
  readonly writes: readonly SectionWrite[];
  readonly erased: Version | undefined;
  readonly nonce: Uint8Array;
}

/** Undefined when the record already holds all of it. */
type Merged = Replacement | undefined | "corrupt";

/** Without a promise, which would be a good part of the work: that a shape is not known is rare. */
function mergeNow(shapes: Shapes, merge: Merge): Merged | "unknown shape" {
  try {
    return mergeOne(shapes, merge);
  } catch (error) {
    return error instanceof UnknownShape ? "unknown shape" : asCorrupt(error);
  }
}

/** @throws TributaryError UNAVAILABLE */
function mergeOnceKnown(shapes: Shapes, merge: Merge): Promise<Merged> {
  return knowingShapes(shapes, [merge.key], () => mergeOne(shapes, merge)).catch(asCorrupt);
}

/** @throws TributaryError CORRUPT; UnknownShape */
function mergeOne(shapes: Shapes, { key, previous, writes, erased, nonce }: Merge): Replacement | undefined {
  const current = previous === null ? undefined : decodeRecord(previous, shapes);
  const emptied = erased === undefined ? undefined : eraseRecord(current, erased);
  const merged = mergeRecord(emptied ?? current, writes) ?? emptied;
  if (merged === undefined) return undefined;
  const named = [...merged.sections.values()].map((section) => section.shape);
  return { key, previous, bytes: encodeRecord(merged, nonce), shapes: named };
}

function asCorrupt(error: unknown): "corrupt" {
  if (error instanceof TributaryError && error.code === "CORRUPT") return "corrupt";
  throw error;
}
