import { randomBytes } from "node:crypto";
import { clockAt, ordinaryClock } from "@tributary/shared/contracts/clock";
import {
  type Erasure,
  type ErasureLift,
  type ErasureReceipt,
  erasureKey,
  erasureSchema,
  liftKey,
  liftSchema,
  receiptKey,
  receiptSchema,
} from "@tributary/shared/contracts/erasure";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { maxClockSkewMs } from "@tributary/shared/contracts/limits";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Bucket, Connection } from "@tributary/shared/messaging/contract";
import { callApiOn } from "@tributary/shared/messaging/jetstream-api";
import { clockKey, decodeClock } from "@tributary/shared/runtime/clock-client";

export interface ErasureRequest {
  readonly entity: string;
  readonly key: string;
  /** Asked for again under it, an erasure stays the one it was. */
  readonly id: string | undefined;
}

/**
 * Asks for an erasure, durably. What is of now or before is to go; and as a producer's clock may be ahead, also what is up to
 * the allowed skew later.
 * @throws TributaryError BAD_VALUE, CATALOG_CONFLICT, UNAVAILABLE, STREAM_FULL
 */
export async function requestErasure(connection: Connection, request: ErasureRequest): Promise<Erasure> {
  const bucket = await openBucket(connection, "TRIB_ERASURES");
  const { entity, key, id = randomBytes(6).toString("hex") } = request;
  const eventTime = (await nowOnClock(connection)) + maxClockSkewMs;
  const erasure = { format: 1, id, entity, key, eventTime, requestedAtMs: Date.now() } as const;
  if (!erasureSchema.safeParse(erasure).success)
    throw new TributaryError("BAD_VALUE", "--id must be 4 to 64 letters, digits and -");
  const known = await readErasure(bucket, id);
  if (known === undefined) {
    await bucket.create(erasureKey(id), new TextEncoder().encode(JSON.stringify(erasure)));
    return erasure;
  }
  if (known.entity === entity && known.key === key) return known;
  throw new TributaryError("BAD_VALUE", `erasure ${id} is of another entity key; leave --id out or choose another`);
}

async function nowOnClock(connection: Connection): Promise<number> {
  const entry = await (await openBucket(connection, "TRIB_CLOCK")).get(clockKey);
  return clockAt(entry === undefined ? ordinaryClock : decodeClock(entry.value), Date.now());
}

/** Undefined when nobody has asked for it. @throws TributaryError UNSUPPORTED_FORMAT, UNAVAILABLE, BAD_KEY */
export async function readErasure(bucket: Bucket, id: string): Promise<Erasure | undefined> {
  const entry = await bucket.get(erasureKey(id));
  if (entry === undefined) return undefined;
  const parsed = erasureSchema.safeParse(JSON.parse(new TextDecoder().decode(entry.value)));
  if (parsed.success) return parsed.data;
  throw new TributaryError("UNSUPPORTED_FORMAT", `erasure ${id} is not of a form this build reads`);
}

export async function readReceipt(bucket: Bucket, id: string, service: string): Promise<ErasureReceipt | undefined> {
  const entry = await bucket.get(receiptKey(id, service));
  return entry && receiptSchema.safeParse(JSON.parse(new TextDecoder().decode(entry.value))).data;
}

export async function readLift(bucket: Bucket, id: string): Promise<ErasureLift | undefined> {
  const entry = await bucket.get(liftKey(id));
  return entry && liftSchema.safeParse(JSON.parse(new TextDecoder().decode(entry.value))).data;
}

/** From then on batch runs take the key again. Asked for again, it stays what it was. @throws TributaryError UNAVAILABLE */
export async function liftErasure(bucket: Bucket, id: string): Promise<ErasureLift> {
  const known = await readLift(bucket, id);
  if (known !== undefined) return known;
  const lift: ErasureLift = { format: 1, id, atMs: Date.now() };
  await bucket.create(liftKey(id), new TextEncoder().encode(JSON.stringify(lift)));
  return lift;
}

/**
 * Removes what names the key first, then what is left of it. Its bytes stay on the broker's disk until the broker compacts the
 * file; processes that know it keep it in memory until they are started again.
 * @throws TributaryError UNAVAILABLE, MISSING_RESOURCE
 */
export async function forgetErasure(connection: Connection, id: string): Promise<void> {
  const bucket = await openBucket(connection, "TRIB_ERASURES");
  const stream = `KV_${bucket.name}`;
  for (const key of [erasureKey(id), liftKey(id), receiptKey(id, "*")]) {
    const filter = `$KV.${bucket.name}.${key}`;
    await callApiOn(connection, `STREAM.PURGE.${stream}`, `bucket ${bucket.name}`, { filter });
  }
}

export interface ListedErasure extends Erasure {
  /** Services that have given their receipt. */
  readonly receipts: readonly string[];
  readonly isLifted: boolean;
}

/** The newest first. */
export async function listErasures(bucket: Bucket, max: number): Promise<{ total: number; newest: ListedErasure[] }> {
  const keys = (await bucket.keys()).map((key) => key.split("."));
  const idsOf = (kind: string) => keys.filter(([first]) => first === kind).map(([, id = ""]) => id);
  const [receipts, lifted] = [keys.filter(([kind]) => kind === "receipt"), new Set(idsOf("lift"))];
  const all: Erasure[] = [];
  for (const id of idsOf("erasure")) {
    const erasure = await readErasure(bucket, id);
    if (erasure !== undefined) all.push(erasure);
  }
  all.sort((a, b) => b.requestedAtMs - a.requestedAtMs);
  const newest = all.slice(0, max).map((erasure) => {
    const own = receipts.filter(([, id]) => id === erasure.id).map(([, , service = ""]) => service);
    return { ...erasure, receipts: own.sort(), isLifted: lifted.has(erasure.id) };
  });
  return { total: all.length, newest };
}
