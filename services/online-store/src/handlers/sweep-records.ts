import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { RedisLease } from "../adapters/redis-lease.ts";
import type { Records, Replacement } from "../adapters/redis-records.ts";
import { knowingShapes } from "../adapters/redis-shapes.ts";
import type { SweepStore } from "../adapters/redis-sweep.ts";
import { decodeRecord, type EntityRecord, encodeRecord, nonceBytes, nonceOf } from "../core/record.ts";
import {
  hasTombstones,
  isOutlived,
  type RoundStart,
  type Sighting,
  type Swept,
  sweepRecord,
} from "../core/sweep-record.ts";
import type { SweepCounters } from "../metrics.ts";
import type { NamedSections } from "./named-sections.ts";

/**
 * Goes round all records, slowly, one instance at a time, and takes what nobody needs any more: tombstones that have outlived
 * all that could be replayed (V6), view versions that no catalog names, and records with nothing in them. A partition that lacks
 * something keeps its tombstones until it has it again. Whatever it takes it
 * takes by compare-and-set: what was written in between stays. Where an instance stops, the next goes on.
 */
export interface SweepOptions {
  readonly records: Records;
  readonly store: SweepStore;
  readonly sections: NamedSections;
  readonly lease: RedisLease;
  /** Nothing that the row streams hold was published before this instant, real epoch ms. */
  readonly oldestMs: () => Promise<number>;
  /**
   * Partitions that lack something which is read or sent again: a tombstone may have to beat it yet, however old it is.
   * @throws TributaryError UNAVAILABLE
   */
  readonly incomplete: () => Promise<ReadonlySet<number>>;
  readonly counters: SweepCounters;
  readonly logger: Logger;
  /** From the end of a round to the next, ms. */
  readonly everyMs: number;
  readonly recordsPerSecond: number;
  /** Real time that a tombstone stays at least, ms. */
  readonly tombstoneAgeMs: number;
}

const pageRecords = 200;

export interface Sweep {
  stop(): Promise<void>;
}

export function startSweep(options: SweepOptions): Sweep {
  const stopping = new AbortController();
  const running = sweepForEver(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function sweepForEver(options: SweepOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(options.everyMs, undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await trySweep(options, signal);
  }
}

/** What ends a round early is gone on with at the next. */
async function trySweep(options: SweepOptions, signal: AbortSignal): Promise<void> {
  try {
    if (!(await options.lease.take())) return;
    await sweepRound(options, signal).finally(() => options.lease.release());
  } catch (error) {
    options.logger.warn({ error: String(error) }, "a sweep ends early");
  }
}

/** From where the last one stopped to the end. @throws TributaryError UNAVAILABLE, UNSUPPORTED_FORMAT */
export async function sweepRound(options: SweepOptions, signal?: AbortSignal): Promise<void> {
  const { store, lease, recordsPerSecond, counters } = options;
  const start = { startedMs: Date.now(), oldestMs: await options.oldestMs() };
  await options.sections.refresh();
  let cursor = await store.position();
  do {
    const page = await store.scan(cursor, pageRecords);
    await sweepPage(options, page.keys, start);
    cursor = page.cursor;
    await store.savePosition(cursor);
    await pause((1_000 * page.keys.length) / recordsPerSecond, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted || !(await lease.renew())) return;
  } while (cursor !== "0");
  counters.rounds += 1;
}

interface Met {
  readonly key: string;
  readonly bytes: Buffer;
  readonly nonce: string;
  readonly record: EntityRecord;
}

async function sweepPage(options: SweepOptions, keys: readonly string[], start: RoundStart): Promise<void> {
  const { store, sections, counters } = options;
  const met = await meet(options, keys);
  counters.records += met.length;
  const isNew = ({ record }: Met) => [...record.sections.keys()].some((section) => !sections.has(section));
  if (met.some(isNew)) await sections.refresh();
  const seen = await store.sightings(met.map(({ key }) => key));
  const isOld = ({ key, nonce }: Met) => isOutlived(seen.get(key), nonce, { ...start, ageMs: options.tombstoneAgeMs });
  const incomplete: ReadonlySet<number> = met.some(isOld) ? await options.incomplete() : new Set();
  const replacements: Replacement[] = [];
  const sighted = new Map<string, Sighting>();
  const gone: string[] = [];
  for (const one of met) {
    const sighting = seen.get(one.key);
    const takesTombstones = isOld(one) && !incomplete.has(partitionOfRecord(one.key));
    const swept = sweepRecord(one.record, { isNamed: (section) => sections.has(section), takesTombstones });
    if (swept !== undefined) replacements.push(replacementOf(one, swept));
    if (swept !== undefined) count(counters, swept);
    if (!takesTombstones && hasTombstones(one.record)) {
      if (sighting?.nonce !== one.nonce) sighted.set(one.key, { nonce: one.nonce, atMs: Date.now() });
    } else if (sighting !== undefined) gone.push(one.key);
  }
  // Conflicts are left for the next round.
  await options.records.replace(replacements);
  if (sighted.size > 0) await store.note(sighted);
  await store.forget(gone);
}

/** `{p07}:airport:ORD` → 7. */
function partitionOfRecord(key: string): number {
  return Number(key.slice(2, key.indexOf("}")));
}

async function meet({ records }: SweepOptions, keys: readonly string[]): Promise<Met[]> {
  const stored = await records.read(keys);
  const met: Met[] = [];
  for (const [i, key] of keys.entries()) {
    const bytes = stored[i] ?? null;
    if (bytes === null) continue;
    const decode = () => decodeRecord(bytes, records.shapes);
    const record = await knowingShapes(records.shapes, [key], decode).catch(asCorrupt);
    if (record !== undefined) met.push({ key, bytes, nonce: nonceOf(bytes).toString("hex"), record });
  }
  return met;
}

/** Damage is for those who write and read to tell. */
function asCorrupt(error: unknown): undefined {
  if (error instanceof TributaryError && error.code === "CORRUPT") return undefined;
  throw error;
}

function replacementOf({ key, bytes: previous }: Met, { record }: Swept): Replacement {
  if (record === null) return { key, previous, bytes: null, shapes: [] };
  const shapes = [...record.sections.values()].map((section) => section.shape);
  return { key, previous, bytes: encodeRecord(record, randomBytes(nonceBytes)), shapes };
}

function count(counters: SweepCounters, { record, sections, tombstones }: Swept): void {
  counters.sections += sections;
  counters.tombstones += tombstones;
  if (record === null) counters.removed += 1;
}
