import { createHash } from "node:crypto";

/**
 * The ids of events that a key has counted, so that one that comes again is known. Two events are the same when their id is
 * equal and their event times are at most `dedupeMs` apart. Of an id that is used again later only the newest use is kept.
 *
 * What is remembered depends on the input's position alone: ids from `horizonMs` on, and of these the `idsMax` with the
 * greatest event times.
 */
export interface EventIds {
  /** Id → its event time. */
  readonly known: Map<string, number>;
  /** Ascending event time; of equal times the first counted stands first. */
  readonly order: CountedId[];
}

export interface CountedId {
  readonly id: string;
  readonly timeMs: number;
}

export interface IdReach {
  readonly dedupeMs: number;
  /** Event times before this are behind the input for good. Never goes back. */
  readonly horizonMs: number;
}

/** An id as it is kept: 96 bits of its SHA-256, which take the same room for every id and tell nothing of it. */
export const idBytes = 12;

export function eventId(value: string | number | bigint): string {
  return createHash("sha256").update(String(value)).digest().subarray(0, idBytes).toString("base64url");
}

export function emptyIds(): EventIds {
  return { known: new Map(), order: [] };
}

/** True when the event was counted already. */
export function isCounted({ known }: EventIds, { id, timeMs }: CountedId, { dedupeMs, horizonMs }: IdReach): boolean {
  const before = known.get(id);
  return before !== undefined && before >= horizonMs && Math.abs(timeMs - before) <= dedupeMs;
}

/** Remembers a counted event; beyond `idsMax` the one with the least event time is forgotten. */
export function countId(ids: EventIds, event: CountedId, horizonMs: number, idsMax: number): void {
  forgetBefore(ids, horizonMs);
  const before = ids.known.get(event.id);
  if (event.timeMs < horizonMs || (before !== undefined && before > event.timeMs)) return;
  if (before !== undefined) remove(ids, event.id);
  insert(ids, event);
  if (ids.order.length > idsMax) forget(ids, 1);
}

/** Forgets the ids of events before an instant. */
export function forgetBefore(ids: EventIds, instantMs: number): void {
  const kept = ids.order.findIndex(({ timeMs }) => timeMs >= instantMs);
  forget(ids, kept < 0 ? ids.order.length : kept);
}

/** Event time of the newest id; −Infinity when there is none. */
export function newestIdMs(ids: EventIds | undefined): number {
  return ids?.order.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY;
}

function forget({ known, order }: EventIds, count: number): void {
  if (count > 0) for (const { id } of order.splice(0, count)) known.delete(id);
}

function remove({ order }: EventIds, wanted: string): void {
  order.splice(
    order.findIndex(({ id }) => id === wanted),
    1,
  );
}

/** Most ids belong to the newest events, so the search starts there. */
function insert({ known, order }: EventIds, event: CountedId): void {
  let at = order.length;
  while (at > 0 && (order[at - 1] as CountedId).timeMs > event.timeMs) at--;
  order.splice(at, 0, event);
  known.set(event.id, event.timeMs);
}
