import type { Catalog, CatalogBody } from "@tributary/shared/contracts/catalog";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { canonicalJson, fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Bucket } from "@tributary/shared/messaging/contract";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import type { Client } from "pg";
import { withDatabase } from "../admin/database.ts";
import { type LiveCatalog, readLiveCatalog } from "./live-catalog.ts";
import { type Plan, planCatalog, problemsOf } from "./plan.ts";

export interface ApplyOptions {
  readonly body: CatalogBody;
  /** Of a user who may write the catalog (`admin`). */
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** Views, features and feature services may go, though somebody may read them. */
  readonly allowDestroy?: boolean | undefined;
  /** Sees the plan before it is carried out or refused. */
  readonly onPlan?: (plan: Plan) => void;
}

export interface ApplyReport {
  readonly version: number;
  readonly fingerprint: string;
  /** False: the current catalog says the same already. */
  readonly changed: boolean;
  readonly plan: Plan;
}

/**
 * Makes these definitions the current catalog: a row in PostgreSQL, the version in KV, then the pointer by compare-and-set.
 * A crash in between leaves a version that nothing points to; its number is not used again.
 * @throws TributaryError CATALOG_CONFLICT when somebody else applied meanwhile, INVALID_DEFINITION, MISSING_RESOURCE, UNAVAILABLE
 */
export async function applyCatalog(options: ApplyOptions): Promise<ApplyReport> {
  const connection = await openConnection({ url: options.natsUrl, name: "tributary-apply" });
  try {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    return await applyTo(bucket, options);
  } finally {
    await connection.close();
  }
}

async function applyTo(bucket: Bucket, options: ApplyOptions): Promise<ApplyReport> {
  const fingerprint = fingerprintOf(options.body);
  const current = await readLiveCatalog(bucket);
  const plan = planCatalog(current.body, options.body);
  options.onPlan?.(plan);
  if (current.fingerprint === fingerprint) return { version: current.version, fingerprint, changed: false, plan };
  const problems = problemsOf(plan, { allowDestroy: options.allowDestroy ?? false });
  if (problems.length > 0) throw new TributaryError("INVALID_DEFINITION", problems.join("\n"));
  const version = await withDatabase(options.databaseUrl, (client) =>
    exclusively(client, async () => {
      const next = await recordVersion(client, { ...options, fingerprint, after: current.version });
      await publishVersion(bucket, current, { ...options.body, version: next, fingerprint });
      return next;
    }),
  );
  return { version, fingerprint, changed: true, plan };
}

/** "trib" + 1: one apply at a time; the pointer's compare-and-set is what counts. */
const lockKey = 0x74726963;

async function exclusively<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) as got", [lockKey]);
  if (rows[0]?.got !== true) throw conflict("somebody else is applying a catalog right now");
  try {
    return await work();
  } finally {
    await client.query("select pg_advisory_unlock($1)", [lockKey]);
  }
}

async function recordVersion(
  client: Client,
  { body, author, message, fingerprint, after }: ApplyOptions & { fingerprint: string; after: number },
): Promise<number> {
  try {
    const { rows } = await client.query<{ version: string }>(
      `insert into catalog_versions (version, fingerprint, body, author, message)
       select greatest(coalesce(max(version), 0), $1) + 1, $2, $3, $4, $5 from catalog_versions returning version`,
      [after, fingerprint, canonicalJson(body), author ?? "unknown", message ?? ""],
    );
    return Number(rows[0]?.version);
  } catch (error) {
    // 42P01: undefined table.
    if ((error as { code?: string }).code !== "42P01") throw error;
    throw new TributaryError("MISSING_RESOURCE", "table catalog_versions does not exist", { cause: error });
  }
}

async function publishVersion(bucket: Bucket, { entry }: LiveCatalog, catalog: Catalog): Promise<void> {
  const pointer = toJson({ version: catalog.version, fingerprint: catalog.fingerprint });
  try {
    await bucket.create(versionKey(catalog.version), toJson(catalog));
    if (entry) await bucket.update(currentKey, pointer, entry.revision);
    else await bucket.create(currentKey, pointer);
  } catch (error) {
    if (asTributaryError(error).code !== "CATALOG_CONFLICT") throw error;
    throw conflict(`somebody else applied a catalog meanwhile; version ${catalog.version} is kept and not current`);
  }
}

function conflict(message: string): TributaryError {
  return new TributaryError("CATALOG_CONFLICT", message);
}

function toJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}
