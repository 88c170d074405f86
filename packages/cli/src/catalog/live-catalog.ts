import { type Catalog, catalogSchema } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Bucket, BucketEntry } from "@tributary/shared/messaging/contract";
import { currentKey, currentSchema, versionKey } from "@tributary/shared/runtime/catalog-client";

/** The current catalog together with the revision of the pointer to it, which a swap compares. */
export interface LiveCatalog {
  /** Undefined while none was applied. */
  readonly entry: BucketEntry | undefined;
  /** 0 while none was applied. */
  readonly version: number;
  readonly fingerprint: string | undefined;
  readonly body: Catalog | undefined;
}

/** @throws TributaryError UNAVAILABLE, CORRUPT when the pointer names a version that is not there */
export async function readLiveCatalog(bucket: Bucket): Promise<LiveCatalog> {
  const entry = await bucket.get(currentKey);
  if (!entry) return { entry, version: 0, fingerprint: undefined, body: undefined };
  const { version, fingerprint } = currentSchema.parse(fromJson(entry.value));
  return { entry, version, fingerprint, body: await readBody(bucket, version) };
}

/** The current version's number. @throws TributaryError NOT_FOUND while none was applied */
export function requireVersion({ version }: LiveCatalog): number {
  if (version > 0) return version;
  throw new TributaryError("NOT_FOUND", "no catalog has been applied yet; run `tributary apply FILE`");
}

async function readBody(bucket: Bucket, version: number): Promise<Catalog> {
  const entry = await bucket.get(versionKey(version));
  if (!entry) throw new TributaryError("CORRUPT", `catalog version ${version} is current and not in TRIB_CATALOG`);
  return decodeCatalog(entry.value, version);
}

/** @throws TributaryError UNSUPPORTED_FORMAT */
export function decodeCatalog(bytes: Uint8Array, version: number): Catalog {
  const parsed = catalogSchema.safeParse(fromJson(bytes));
  if (parsed.success) return parsed.data;
  throw new TributaryError("UNSUPPORTED_FORMAT", `catalog version ${version} is not of a form this build reads`);
}

function fromJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}
