import { type AdmittedRow, admitRows, planWrite, type WritePlan } from "@tributary/shared/admission/admission";
import { chunkRows } from "@tributary/shared/admission/chunking";
import { type PublishedChunk, toReply, wholeFailure } from "@tributary/shared/admission/outcomes";
import { requestFingerprint } from "@tributary/shared/admission/request-fingerprint";
import { clockAt } from "@tributary/shared/contracts/clock";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { WriteReply, WriteRequest } from "@tributary/shared/contracts/write";
import type { BucketEntry } from "@tributary/shared/messaging/contract";
import { type Reservation, reservationKey } from "../core/idempotency.ts";
import { publishChunks } from "./publish-chunks.ts";
import { decodeReservation, encodeReservation } from "./reservation-codec.ts";
import { planFor, type WriteContext } from "./write-context.ts";

/**
 * A write under an idempotency key (D2): reserve, publish, remember the reply. A gateway may die between any two steps, and
 * any gateway may repeat them: the reservation fixes the rows' verdicts and event times, the message ids follow from the key.
 *
 * The broker forgets message ids after its dedupe window. A reservation older than `attemptMsMax` without a reply is
 * therefore answered "unknown" and never published again: by then it could beat what others wrote since (D1).
 */
const attemptMsMax = 120_000;

interface Held {
  readonly entry: BucketEntry;
  readonly reservation: Reservation;
}

export async function writeOnce(
  context: WriteContext,
  request: WriteRequest,
  idempotencyKey: string,
): Promise<WriteReply> {
  const key = reservationKey(idempotencyKey);
  const fingerprint = requestFingerprint(request);
  const held = (await lookUp(context, key)) ?? (await reserve(context, request, { key, fingerprint }));
  // Nothing of it may enter: nothing was reserved, and a mended definition may let it in later.
  if ("outcomes" in held) return held;
  if (held.reservation.fingerprint !== fingerprint) {
    throw new TributaryError("BAD_VALUE", "this idempotency key was used for another request; take a new key");
  }
  return held.reservation.reply ?? attempt(context, request, held);
}

async function lookUp(context: WriteContext, key: string): Promise<Held | undefined> {
  const entry = await context.idempotency.get(key);
  return entry && { entry, reservation: decodeReservation(entry.value) };
}

async function reserve(
  context: WriteContext,
  request: WriteRequest,
  { key, fingerprint }: { key: string; fingerprint: string },
): Promise<Held | WriteReply> {
  const plan = planFor(context, request.view);
  const nowMs = context.clock.now();
  const { admitted, refused } = admitRows(plan, request.rows, nowMs);
  if (admitted.length === 0) return toReply(refused, []);
  const clock = context.clock.record;
  const reservation: Reservation = { format: 1, fingerprint, catalogVersion: plan.catalogVersion, clock, nowMs };
  try {
    await context.idempotency.create(key, encodeReservation(reservation));
  } catch (error) {
    // Another attempt was faster; its reservation counts.
    if (asTributaryError(error).code !== "CATALOG_CONFLICT") throw error;
  }
  const held = await lookUp(context, key);
  if (!held) throw new TributaryError("UNAVAILABLE", "the reservation of the idempotency key cannot be read back");
  return held;
}

async function attempt(context: WriteContext, request: WriteRequest, held: Held): Promise<WriteReply> {
  const { entry, reservation } = held;
  if (Date.now() - entry.timestampMs > attemptMsMax) {
    throw new TributaryError(
      "UNKNOWN_OUTCOME",
      "an earlier attempt under this idempotency key did not finish and is too old to repeat: read the rows back, then write under a new key",
    );
  }
  const plan = await planOf(context, request.view, reservation.catalogVersion);
  const { admitted, refused } = admitRows(plan, request.rows, reservation.nowMs);
  const published = await publishReserved(context, plan, { ...held, admitted });
  const failure = refused.length === 0 ? wholeFailure(published) : undefined;
  if (failure) throw failure;
  const reply = toReply(refused, published);
  if (published.every(({ result }) => result.kind === "stored")) await remember(context, held, reply);
  return reply;
}

async function planOf(context: WriteContext, view: string, version: number): Promise<WritePlan> {
  const catalog = await context.catalog.version(version);
  if (!catalog) throw new TributaryError("STALE_CATALOG", `catalog version ${version} is not readable yet`);
  return planWrite(catalog, view);
}

function publishReserved(
  context: WriteContext,
  plan: WritePlan,
  { entry, reservation, admitted }: Held & { admitted: readonly AdmittedRow[] },
): Promise<readonly PublishedChunk[]> {
  const { clock } = reservation;
  const acceptedAtMs = clockAt(clock, entry.timestampMs);
  const rows = admitted.map((row) => ({ ...row, eventTime: row.eventTime ?? acceptedAtMs }));
  return publishChunks(context.publisher, chunkRows(plan, rows, { producer: context.instance, clock }), {
    deadlineMs: context.publishDeadlineMs,
    idOf: (ordinal) => `${entry.key}:${ordinal}`,
  });
}

/** The rows are stored: failing to remember costs a later retry its shortcut, not this one its answer. */
async function remember(context: WriteContext, { entry, reservation }: Held, reply: WriteReply): Promise<void> {
  try {
    await context.idempotency.update(entry.key, encodeReservation({ ...reservation, reply }), entry.revision);
  } catch (error) {
    const { code, message } = asTributaryError(error);
    // A conflict means that another attempt remembered the same reply.
    if (code !== "CATALOG_CONFLICT") context.logger.warn({ code, message }, "idempotent reply not remembered");
  }
}
