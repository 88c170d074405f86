import { tombstone } from "@tributary/shared/contracts/chunk";
import { maxClockSkewMs } from "@tributary/shared/contracts/limits";
import { encodeCells, readCells } from "./cell-merge.ts";
import type { EntityRecord, StoredSection } from "./record.ts";

/** What a sweep may take. A value that is past its ttl is not among it: its lane still calls it published (C5). */
export interface SweepRules {
  /** False of a view version that no catalog names any more. */
  readonly isNamed: (section: string) => boolean;
  /** They have outlived everything that could bring back what they beat (V6). */
  readonly takesTombstones: boolean;
}

export interface Swept {
  /** Null: nothing is left that is worth a record. */
  readonly record: EntityRecord | null;
  readonly sections: number;
  readonly tombstones: number;
}

/**
 * The record without what nobody needs any more; undefined when it stays as it is.
 * @throws TributaryError CORRUPT when a section cannot be read
 */
export function sweepRecord(record: EntityRecord, rules: SweepRules): Swept | undefined {
  const kept = new Map<string, StoredSection>();
  let tombstones = 0;
  let sections = 0;
  for (const [id, section] of record.sections) {
    if (!rules.isNamed(id)) {
      sections += 1;
      continue;
    }
    const [left, taken] = rules.takesTombstones ? withoutTombstones(section) : [section, 0];
    tombstones += taken;
    if (left !== undefined) kept.set(id, left);
  }
  const isEmpty = kept.size === 0 && record.erasure === undefined;
  if (sections === 0 && tombstones === 0 && !isEmpty) return undefined;
  return { record: isEmpty ? null : { ...record, sections: kept }, sections, tombstones };
}

/** What is left of a section, if anything, and how many were taken. */
function withoutTombstones(section: StoredSection): [StoredSection | undefined, number] {
  const cells = readCells(section);
  const kept = cells.filter(({ value }) => value !== tombstone);
  const taken = cells.length - kept.length;
  if (kept.length === 0) return [undefined, taken];
  return [taken === 0 ? section : encodeCells(section.shape, section.shape, kept), taken];
}

export function hasTombstones({ sections }: EntityRecord): boolean {
  for (const section of sections.values()) if (readCells(section).some(({ value }) => value === tombstone)) return true;
  return false;
}

/** A record with tombstones as a sweep first met it. The nonce is another one after every write. */
export interface Sighting {
  /** Hex. */
  readonly nonce: string;
  /** Real epoch ms. */
  readonly atMs: number;
}

/** When a round began, and what was known then. */
export interface RoundStart {
  /** Real epoch ms. */
  readonly startedMs: number;
  /** Nothing that the row streams hold was published before this instant on the broker's clock, real epoch ms. */
  readonly oldestMs: number;
}

/**
 * Whether the tombstones of a record may go: it has not been written since it was sighted, so they are at least as old; that was
 * long enough before this round, and no stream held anything from before it when the round began.
 */
export function isOutlived(
  sighting: Sighting | undefined,
  nonce: string,
  { startedMs, oldestMs, ageMs }: RoundStart & { readonly ageMs: number },
): boolean {
  if (sighting === undefined || sighting.nonce !== nonce) return false;
  return startedMs - sighting.atMs > ageMs && oldestMs > sighting.atMs + maxClockSkewMs;
}
