import type { Catalog, Lane } from "@tributary/shared/contracts/catalog";
import type { Erasure, RecordCheck } from "@tributary/shared/contracts/erasure";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection } from "@tributary/shared/messaging/contract";
import { readLift } from "./erasure-requests.ts";
import { type FeedingSource, feedingSources } from "./fed-by.ts";
import { type HeldStream, readHeldStreams } from "./held-streams.ts";
import { askStore, type Participant, readParticipants } from "./participants.ts";

/** An erasure as it stands: who has carried it out, and where the key may still be. */
export interface ErasureStatus {
  readonly id: string;
  readonly entity: string;
  readonly requestedAt: string;
  /** What is of this event time or before is gone. */
  readonly erasedUpTo: string;
  readonly participants: readonly Participant[];
  /** As read from Redis just now; null when no store answers. */
  readonly records: readonly RecordCheck[] | null;
  readonly streams: readonly HeldStream[];
  /** Tables that feed batch views of the entity: their rows are left to whoever owns them. */
  readonly sources: readonly FeedingSource[];
  /** Since when batch runs take the key again; null: they keep it out. */
  readonly liftedAt: string | null;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function readErasureStatus(
  connection: Connection,
  erasure: Erasure,
  catalog: Catalog,
): Promise<ErasureStatus> {
  const { id, entity, eventTime, requestedAtMs } = erasure;
  const lanes = lanesOf(catalog, entity);
  // At once: a service that does not answer takes its time.
  const [check, participants, streams, lift] = await Promise.all([
    askStore(connection, id).catch(() => undefined),
    readParticipants(connection, { id, lanes }),
    readHeldStreams(connection, lanes, requestedAtMs),
    readLift(await openBucket(connection, "TRIB_ERASURES"), id),
  ]);
  return {
    id,
    entity,
    requestedAt: new Date(requestedAtMs).toISOString(),
    erasedUpTo: new Date(eventTime).toISOString(),
    participants,
    records: check?.records ?? null,
    streams,
    sources: feedingSources(catalog, entity),
    liftedAt: lift === undefined ? null : new Date(lift.atMs).toISOString(),
  };
}

export function isDone({ participants }: Pick<ErasureStatus, "participants">): boolean {
  return participants.every(({ state }) => state === "done");
}

export function lanesOf({ views }: Catalog, entity: string): ReadonlySet<Lane> {
  return new Set(
    Object.values(views)
      .filter((view) => view.entity === entity)
      .map((view) => view.lane),
  );
}
