import { performance } from "node:perf_hooks";
import type { Catalog, CatalogBody } from "@tributary/shared/contracts/catalog";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { canonicalJson, fingerprintOf } from "@tributary/shared/definitions/canonical-json";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { openConnection } from "@tributary/shared/messaging/connection";
import type { Bucket, Connection } from "@tributary/shared/messaging/contract";
import { currentKey, versionKey } from "@tributary/shared/runtime/catalog-client";
import type { Client } from "pg";
import { withDatabase } from "../admin/database.ts";
import { type Roster, readRoster } from "../roster.ts";
import { bucketHistory, greatestNumber } from "./bucket-history.ts";
import { databaseHistory } from "./database-history.ts";
import { awaitEverywhere, type Everywhere, notAsked } from "./everywhere.ts";
import type { History } from "./history.ts";
import { type LiveCatalog, readLiveCatalog } from "./live-catalog.ts";
import type { Past } from "./past.ts";
import { agreeToGoBack, type Plan, planCatalog, problemsOf } from "./plan.ts";
import { exclusively, markCurrent, type NewVersion, recordVersion } from "./record-version.ts";

export interface ApplyOptions {
  /** What to apply, or what makes it of the catalog that is current then. */
  readonly body: CatalogBody | ((grounds: ApplyGrounds) => Promise<CatalogBody>);
  /** Of a user who may write the catalog (`admin`). */
  readonly natsUrl: string;
  /** Absent: the catalog is kept in KV alone, without who, when and why. */
  readonly databaseUrl?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** Views, features and feature services may go, though somebody may read them. */
  readonly allowDestroy?: boolean | undefined;
  /** A view may take an earlier version again. `allowDestroy` says so too. */
  readonly goBack?: boolean | undefined;
  /** How long to wait for every process to take the version up, ms; default 5,000, 0 = not at all. */
  readonly waitMs?: number | undefined;
  /** Sees the plan before it is carried out or refused. */
  readonly onPlan?: (plan: Plan) => void | Promise<void>;
}

/** What an apply stands on; whoever changes it meanwhile makes it fail. */
export interface ApplyGrounds {
  readonly live: LiveCatalog;
  readonly past: Past;
  readonly history: History;
}

export interface ApplyReport extends Everywhere {
  readonly version: number;
  readonly fingerprint: string;
  /** False: the current catalog says the same already. */
  readonly changed: boolean;
  readonly plan: Plan;
}

const waitMsDefault = 5_000;

/**
 * Makes these definitions the current catalog: a row in PostgreSQL, the version in KV, then the pointer by compare-and-set,
 * then a mark in the row. A crash before the swap leaves a version that nothing points to; its number is not used again. One
 * after it leaves the mark to the next apply. Then it asks until every process goes by the version, bounded.
 * @throws TributaryError CATALOG_CONFLICT when somebody else applied meanwhile, INVALID_DEFINITION, MISSING_RESOURCE, UNAVAILABLE
 */
export async function applyCatalog(options: ApplyOptions): Promise<ApplyReport> {
  const connection = await openConnection({ url: options.natsUrl, name: "tributary-apply" });
  try {
    const bucket = await openBucket(connection, "TRIB_CATALOG");
    if (options.databaseUrl === undefined) return await applyTo({ connection, bucket, client: undefined }, options);
    return await withDatabase(options.databaseUrl, (client) => applyTo({ connection, bucket, client }, options));
  } finally {
    await connection.close();
  }
}

interface Places {
  readonly connection: Connection;
  readonly bucket: Bucket;
  readonly client: Client | undefined;
}

async function applyTo(places: Places, options: ApplyOptions): Promise<ApplyReport> {
  const { waitMs = waitMsDefault } = options;
  const [before, live] = await Promise.all([
    waitMs === 0 ? undefined : readRoster(places.connection),
    readLiveCatalog(places.bucket),
  ]);
  const grounds = await groundsOf(places, live);
  const body = typeof options.body === "function" ? await options.body(grounds) : options.body;
  const planned = planCatalog(live.body, body, grounds.past);
  const plan = options.goBack ? agreeToGoBack(planned) : planned;
  await options.onPlan?.(plan);
  const { swappedAtMs, ...applied } = await carryOut(places, grounds, { ...options, body, plan });
  const everywhere = await askEverybody(places, { version: applied.version, swappedAtMs, before, waitMs });
  return { ...applied, plan, ...everywhere };
}

async function groundsOf({ bucket, client }: Places, live: LiveCatalog): Promise<ApplyGrounds> {
  if (client !== undefined) await markCurrent(client, live.version);
  const history = client === undefined ? bucketHistory(bucket, live) : databaseHistory(client, live.version);
  return { live, history, past: await history.past() };
}

interface Applied extends Pick<ApplyReport, "version" | "fingerprint" | "changed"> {
  /** `performance.now()`. */
  readonly swappedAtMs: number;
}

type Planned = ApplyOptions & { readonly body: CatalogBody; readonly plan: Plan };

async function carryOut({ bucket, client }: Places, { live }: ApplyGrounds, planned: Planned): Promise<Applied> {
  const { body, plan, author = "unknown", message = "" } = planned;
  const fingerprint = fingerprintOf(body);
  if (live.fingerprint === fingerprint) {
    return { version: live.version, fingerprint, changed: false, swappedAtMs: performance.now() };
  }
  const problems = problemsOf(plan, { allowDestroy: planned.allowDestroy ?? false });
  if (problems.length > 0) throw new TributaryError("INVALID_DEFINITION", problems.join("\n"));
  const next = { body, fingerprint, author, message, diff: plan.changes, follows: live.version };
  const swap = client === undefined ? swapAlone(bucket, live, next) : swapRecorded({ bucket, client }, live, next);
  return { fingerprint, changed: true, ...(await swap) };
}

type Swapped = Pick<Applied, "version" | "swappedAtMs">;

async function swapRecorded(
  { bucket, client }: { readonly bucket: Bucket; readonly client: Client },
  live: LiveCatalog,
  next: NewVersion,
): Promise<Swapped> {
  return exclusively(client, async () => {
    const version = await recordVersion(client, next);
    await publishVersion(bucket, live, catalogOf(next, version));
    const swappedAtMs = performance.now();
    await markCurrent(client, version);
    return { version, swappedAtMs };
  });
}

async function swapAlone(bucket: Bucket, live: LiveCatalog, next: NewVersion): Promise<Swapped> {
  const version = Math.max(live.version, await greatestNumber(bucket)) + 1;
  await publishVersion(bucket, live, catalogOf(next, version));
  return { version, swappedAtMs: performance.now() };
}

function catalogOf({ body, fingerprint, follows }: NewVersion, version: number): Catalog {
  return { ...body, version, fingerprint, follows };
}

async function publishVersion(bucket: Bucket, { entry }: LiveCatalog, catalog: Catalog): Promise<void> {
  const { version, fingerprint } = catalog;
  const pointer = toJson({ version, fingerprint });
  await orConflict(bucket.create(versionKey(version), toJson(catalog)), "");
  const swap = entry ? bucket.update(currentKey, pointer, entry.revision) : bucket.create(currentKey, pointer);
  await orConflict(swap, `; version ${version} is kept and not current`);
}

async function orConflict(write: Promise<number>, remark: string): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (asTributaryError(error).code !== "CATALOG_CONFLICT") throw error;
    throw new TributaryError("CATALOG_CONFLICT", `somebody else applied a catalog meanwhile${remark}`);
  }
}

function toJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

interface Question {
  readonly version: number;
  readonly swappedAtMs: number;
  readonly before: Roster | undefined;
  readonly waitMs: number;
}

/** What was applied stays applied, whatever comes of the question. */
async function askEverybody({ connection }: Places, { before, ...question }: Question): Promise<Everywhere> {
  if (before === undefined) return notAsked;
  return awaitEverywhere(connection, { before, ...question }).catch(() => notAsked);
}
