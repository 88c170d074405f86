import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Records, Replacement } from "../adapters/redis-records.ts";
import { knowingShapes, type Shapes } from "../adapters/redis-shapes.ts";
import { mergeRecord, type SectionWrite } from "../core/cell-merge.ts";
import type { RecordWrite } from "../core/chunk-rows.ts";
import { groupBy } from "../core/group-by.ts";
import { decodeRecord, encodeRecord, nonceBytes } from "../core/record.ts";

/**
 * Read, merge in the process, compare-and-set; what somebody else wrote in between is read and merged again. Where a round is
 * lost another writer has won it, so all together always move on; the random pause keeps two in step from losing by turns.
 */
const roundsMax = 64;
const roundsInStride = 2;
const pauseMsMax = 32;

export interface Applied {
  /** Keys of records whose stored bytes fail their checks; nothing was written there. */
  readonly corrupt: ReadonlySet<string>;
  readonly conflicts: number;
}

/** @throws TributaryError UNAVAILABLE; some may be written then, and writing them again changes nothing */
export async function applyWrites(records: Records, writes: readonly RecordWrite[]): Promise<Applied> {
  const byKey: ReadonlyMap<string, SectionWrite[]> = groupBy(writes, (write) => write.key);
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
      const merge = { key, previous: stored[i] ?? null, writes: byKey.get(key) ?? [], nonce };
      const replacement = await replacementOf(records.shapes, merge).catch(asCorrupt);
      if (replacement === "corrupt") corrupt.add(key);
      else if (replacement !== undefined) replacements.push(replacement);
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
  readonly nonce: Uint8Array;
}

/**
 * Undefined when the record already holds all of it.
 * @throws TributaryError CORRUPT, UNAVAILABLE
 */
async function replacementOf(
  shapes: Shapes,
  { key, previous, writes, nonce }: Merge,
): Promise<Replacement | undefined> {
  const current =
    previous === null ? undefined : await knowingShapes(shapes, [key], () => decodeRecord(previous, shapes));
  const merged = mergeRecord(current, writes);
  if (merged === undefined) return undefined;
  const named = [...merged.sections.values()].map((section) => section.shape);
  return { key, previous, bytes: encodeRecord(merged, nonce), shapes: named };
}

function asCorrupt(error: unknown): "corrupt" {
  if (error instanceof TributaryError && error.code === "CORRUPT") return "corrupt";
  throw error;
}
