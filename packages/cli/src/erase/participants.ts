import type { Lane } from "@tributary/shared/contracts/catalog";
import type { ErasureCheck, LakeErasureCheck, RecordCheck } from "@tributary/shared/contracts/erasure";
import { asTributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import type { serviceNames } from "../roster.ts";
import { readReceipt } from "./erasure-requests.ts";

/** Whether a service has carried out an erasure. */
export interface Participant {
  readonly service: string;
  readonly state: "done" | "pending";
  readonly at?: string;
  readonly why?: string;
}

/** Who takes part in an erasure: a service that has given its receipt is done, unless what it holds now says otherwise. */
interface ParticipantRow {
  readonly service: (typeof serviceNames)[number];
  /** Takes part where a view of this lane has the entity; `*`: always. */
  readonly lane: Lane | "*";
  /** Answers as long as any instance is there. */
  readonly status: string;
  /** What is left of the key, as read for this very answer; undefined: nothing. @throws TributaryError */
  readonly left?: (connection: Connection, id: string) => Promise<string | undefined>;
}

const participantTable: readonly ParticipantRow[] = [
  { service: "online-store", lane: "*", status: subjects.storeStatus, left: leftInRedis },
  { service: "batch-runner", lane: "batch", status: subjects.batchStatus, left: leftInLake },
  { service: "stream-processor", lane: "stream", status: subjects.streamStatus },
];

export interface Asked {
  readonly id: string;
  /** Lanes of the entity's views. */
  readonly lanes: ReadonlySet<Lane>;
}

/** @throws TributaryError UNAVAILABLE, MISSING_RESOURCE */
export function readParticipants(connection: Connection, { id, lanes }: Asked): Promise<Participant[]> {
  const rows = participantTable.filter(({ lane }) => lane === "*" || lanes.has(lane));
  return Promise.all(rows.map((row) => readParticipant(connection, row, id)));
}

async function readParticipant(connection: Connection, row: ParticipantRow, id: string): Promise<Participant> {
  const { service } = row;
  const receipt = await readReceipt(await openBucket(connection, "TRIB_ERASURES"), id, service);
  const why = receipt === undefined ? await whyNot(connection, row) : await whatIsLeft(connection, row, id);
  if (receipt === undefined || why !== undefined) return { service, state: "pending", why: why as string };
  return { service, state: "done", at: new Date(receipt.atMs).toISOString() };
}

/** Why there is no receipt. */
async function whyNot(connection: Connection, { service, status }: ParticipantRow): Promise<string> {
  try {
    await askJson(connection, status);
    return `${service} has not carried it out yet`;
  } catch (error) {
    return unanswered(service, error);
  }
}

async function whatIsLeft(connection: Connection, row: ParticipantRow, id: string): Promise<string | undefined> {
  try {
    return await row.left?.(connection, id);
  } catch (error) {
    return unanswered(row.service, error);
  }
}

function unanswered(service: string, error: unknown): string {
  const { code, message } = asTributaryError(error);
  return code === "UNAVAILABLE" || code === "DEADLINE" ? `no ${service} answers: ${message}` : message;
}

export function askStore(connection: Connection, id: string): Promise<ErasureCheck> {
  return askJson<ErasureCheck>(connection, subjects.storeErasure, { id });
}

async function leftInRedis(connection: Connection, id: string): Promise<string | undefined> {
  const { records } = await askStore(connection, id);
  const left = records.filter(({ state }) => state === "residual" || state === "corrupt");
  return left.length === 0 ? undefined : left.map(describeRecord).join(", ");
}

async function leftInLake(connection: Connection, id: string): Promise<string | undefined> {
  const { residual } = await askJson<LakeErasureCheck>(connection, subjects.batchErasure, { id });
  return residual.length === 0 ? undefined : `the lake holds it in ${residual.join(", ")}`;
}

export function describeRecord({ view, state }: RecordCheck): string {
  return `${view === null ? "the entity's record" : `the record of ${view}`}: ${state}`;
}
