import {
  type ErasureCheck,
  erasureKey,
  erasureSchema,
  erasureVersion,
  type RecordCheck,
  type RecordState,
} from "@tributary/shared/contracts/erasure";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Version } from "@tributary/shared/contracts/version";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { z } from "zod";
import type { Records } from "../adapters/redis-records.ts";
import { knowingShapes, type Shapes } from "../adapters/redis-shapes.ts";
import { stateOfRecord } from "../core/check-erasure.ts";
import { decodeRecord } from "../core/record.ts";
import type { ErasedRecords } from "./erased-records.ts";

interface VerifyContext {
  readonly bucket: Bucket;
  readonly records: Records;
  readonly places: ErasedRecords;
  readonly epoch: () => string;
}

const requestSchema = z.object({ id: erasureSchema.shape.id });

/**
 * What Redis holds of an erased key, read anew.
 * @throws TributaryError MALFORMED, NOT_FOUND, UNSUPPORTED_FORMAT, UNAVAILABLE
 */
export async function verifyErasure(context: VerifyContext, request: unknown): Promise<ErasureCheck> {
  const asked = requestSchema.safeParse(request);
  if (!asked.success) throw new TributaryError("MALFORMED", "the id of an erasure is letters and digits");
  const { id } = asked.data;
  const erasure = await readErasure(context.bucket, id);
  await context.places.refresh();
  const places = context.places.of(erasure);
  const { records, epoch } = context;
  const stored = await records.read(places.map(({ key }) => key));
  const checks = places.map(async ({ view, key }, i): Promise<RecordCheck> => {
    const look = { key, bytes: stored[i] ?? null, version: erasureVersion(erasure) };
    return { view, state: await stateOf(records.shapes, look) };
  });
  return { id, epoch: epoch(), records: await Promise.all(checks) };
}

async function readErasure(bucket: Bucket, id: string) {
  const entry = await bucket.get(erasureKey(id));
  if (entry === undefined) throw new TributaryError("NOT_FOUND", `there is no erasure ${id}`);
  const parsed = erasureSchema.safeParse(JSON.parse(new TextDecoder().decode(entry.value)));
  if (parsed.success) return parsed.data;
  throw new TributaryError("UNSUPPORTED_FORMAT", `erasure ${id} is not of a form this build reads`);
}

interface Look {
  readonly key: string;
  readonly bytes: Buffer | null;
  readonly version: Version;
}

async function stateOf(shapes: Shapes, { key, bytes, version }: Look): Promise<RecordState> {
  if (bytes === null) return "absent";
  try {
    return await knowingShapes(shapes, [key], () => stateOfRecord(decodeRecord(bytes, shapes), version));
  } catch (error) {
    if (error instanceof TributaryError && error.code === "CORRUPT") return "corrupt";
    throw error;
  }
}
