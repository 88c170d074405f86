import { type Catalog, type Lane, lanes } from "@tributary/shared/contracts/catalog";
import type { Erasure, ErasureCheck, RecordCheck } from "@tributary/shared/contracts/erasure";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import { readReceipt } from "./erasure-requests.ts";
import { type HeldStream, readHeldStreams } from "./held-streams.ts";

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
}

export interface Participant {
  readonly service: string;
  /** unsupported: the lane goes on as if nothing had been asked. */
  readonly state: "done" | "pending" | "unsupported";
  readonly at?: string;
  readonly why?: string;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export async function readErasureStatus(
  connection: Connection,
  erasure: Erasure,
  catalog: Catalog,
): Promise<ErasureStatus> {
  const { id, entity, eventTime, requestedAtMs } = erasure;
  const check = await askStore(connection, id);
  const used = lanesOf(catalog, entity);
  return {
    id,
    entity,
    requestedAt: new Date(requestedAtMs).toISOString(),
    erasedUpTo: new Date(eventTime).toISOString(),
    participants: [await storeOf(connection, id, check), ...otherLanes(catalog, entity)],
    records: "records" in check ? check.records : null,
    streams: await readHeldStreams(connection, used, requestedAtMs),
  };
}

export function isDone({ participants }: ErasureStatus): boolean {
  return participants.every(({ state }) => state === "done");
}

function lanesOf({ views }: Catalog, entity: string): ReadonlySet<Lane> {
  return new Set(
    Object.values(views)
      .filter((view) => view.entity === entity)
      .map((view) => view.lane),
  );
}

async function askStore(connection: Connection, id: string): Promise<ErasureCheck | { readonly why: string }> {
  try {
    return await askJson<ErasureCheck>(connection, subjects.storeErasure, { id });
  } catch (error) {
    return { why: asTributaryError(error).message };
  }
}

/** Its receipt is believed only where Redis says the same. */
async function storeOf(
  connection: Connection,
  id: string,
  check: ErasureCheck | { readonly why: string },
): Promise<Participant> {
  const service = "online-store";
  const receipt = await readReceipt(await openBucket(connection, "TRIB_ERASURES"), id, service);
  if ("why" in check) return { service, state: "pending", why: check.why };
  const left = check.records.filter(({ state }) => state === "residual" || state === "corrupt");
  if (left.length > 0) return { service, state: "pending", why: left.map(describeRecord).join(", ") };
  if (receipt === undefined) return { service, state: "pending", why: "no instance has given a receipt yet" };
  return { service, state: "done", at: new Date(receipt.atMs).toISOString() };
}

export function describeRecord({ view, state }: RecordCheck): string {
  return `${view === null ? "the entity's record" : `the record of ${view}`}: ${state}`;
}

const others = {
  batch: [
    "batch-runner",
    "lake and snapshots keep the key, and a later run may publish it; take it out of the sources",
  ],
  stream: ["stream-processor", "windows keep the key until they have passed; a later event publishes what they hold"],
} as const;

function otherLanes({ views }: Catalog, entity: string): Participant[] {
  return lanes.flatMap((lane): Participant[] => {
    const names = Object.values(views).filter((view) => view.lane === lane && view.entity === entity);
    if (lane === "direct" || names.length === 0) return [];
    const [service, why] = others[lane];
    return [{ service, state: "unsupported", why: `${why} (${names.map(({ name }) => name).join(", ")})` }];
  });
}
