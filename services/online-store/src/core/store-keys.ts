import type { View } from "@tributary/shared/contracts/catalog";
import { partitionToken } from "@tributary/shared/contracts/entity-key";

/**
 * Every key the store has in Redis. The partition is the hash tag, so what belongs to one partition lies in one slot.
 */
export function recordKey(partition: number, entity: string, entityKey: string): string {
  return `{${partitionToken(partition)}}:${entity}:${entityKey}`;
}

/** An entity key holds no control character but the separator of its parts, so no record of an entity ends like this. */
const ownRecordMark = "\u001e";

/**
 * Where a view's cells of one entity key are: in the entity's record, or in the view's own beside it,
 * `{pNN}:<entity>:<key>` U+001E `<view>`.
 */
export function viewRecordKey(partition: number, view: RecordedView, entityKey: string): string {
  const shared = recordKey(partition, view.entity, entityKey);
  return view.ownRecord === true ? `${shared}${ownRecordMark}${view.name}` : shared;
}

/** `<entity>:<key>` of any record of an entity. */
export function entityOfRecord(key: string): string {
  const end = key.indexOf(ownRecordMark);
  return key.slice(key.indexOf(":") + 1, end < 0 ? undefined : end);
}

/** Such a key would be taken for another's own record; no edge lets one through. */
export function isMarked(entityKey: string): boolean {
  return entityKey.includes(ownRecordMark);
}

export type RecordedView = Pick<View, "name" | "entity" | "ownRecord">;

export const storeKeys = {
  /** Who replays what Redis has lost; runs out by itself. */
  replay: "tributary:replay",
  /** Hash: lane → `incarnation:sequence` up to which everything is applied; `life` and `whole` (see partition-life.ts). */
  floor: (partition: number) => `{${partitionToken(partition)}}!floor`,
  /** Hash: shape id, hex → the shape (see shape.ts). */
  shapes: (partition: number) => shapesKey(`{${partitionToken(partition)}}`),
  /** Who cleans the row streams; runs out by itself. */
  janitor: "tributary:janitor",
  /** Who sweeps; runs out by itself. And how far the round is: a cursor of SCAN. */
  sweep: "tributary:sweep",
  sweepPosition: "tributary:sweep-position",
  /** Hash: `lane:incarnation:sequence:view` → why a message below a confirmation was set aside. */
  holds: (partition: number) => `{${partitionToken(partition)}}!holds`,
  /** Hash: `lane:incarnation:sequence:view:viewVersion` → confirmed up to, epoch ms; not counted yet. Behind a republish `:fillsBelow` (see filled.ts). */
  pending: (partition: number) => `{${partitionToken(partition)}}!pending`,
  /** Hash: `lane:view:viewVersion` → `incarnation:sequence` below which nothing of it is missing (see filled.ts). */
  filled: (partition: number) => `{${partitionToken(partition)}}!filled`,
  /** Hash: `view:viewVersion` → confirmed up to, epoch ms; counts. */
  confirmed: (partition: number) => `{${partitionToken(partition)}}!confirmed`,
} as const;

/** The shapes of the partition that a slot's hash tag names. */
export function shapesKey(slot: string): string {
  return `${slot}!shapes`;
}

/** Hash of a slot: key of a record with tombstones → its nonce and when a sweep first met it so. */
export function tombstonesKey(slot: string): string {
  return `${slot}!tombstones`;
}

/** As against what the store knows of itself. */
export function isRecordKey(key: string): boolean {
  return /^\{p\d{2,}\}:/.test(key);
}

/** The hash tag of a key, which decides its slot. */
export function slotOf(key: string): string {
  return key.slice(0, key.indexOf("}") + 1);
}
