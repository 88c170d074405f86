import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Bucket, BucketEntry } from "@tributary/shared/messaging/contract";
import { versionKey } from "@tributary/shared/runtime/catalog-client";
import { checkBody } from "./catalog-body.ts";
import type { History, RecordedVersion, VersionEntry, VersionState } from "./history.ts";
import { decodeCatalog, type LiveCatalog } from "./live-catalog.ts";
import { type Past, pastOf } from "./past.ts";

/** The history that KV alone has. Which versions were current, each says of the one before it. */
export function bucketHistory(bucket: Bucket, live: LiveCatalog): History {
  const stateOf = async (): Promise<(version: number) => VersionState> => {
    const line = new Set((await readLine(bucket, live.body)).map(({ version }) => version));
    return (version) => (version === live.version ? "current" : line.has(version) ? "earlier" : "neverCurrent");
  };
  return {
    list: async (max) => {
      const state = await stateOf();
      const numbers = (await readNumbers(bucket)).slice(-max).reverse();
      const entries = await mapInTurn(numbers, (version) => readEntry(bucket, version));
      return entries.map((entry) => describe(entry, state));
    },
    read: async (version) => readRecorded(await readEntry(bucket, version), await stateOf()),
    past: () => readPast(bucket, live),
  };
}

export async function readPast(bucket: Bucket, live: LiveCatalog): Promise<Past> {
  return pastOf(await readLine(bucket, live.body));
}

/** The greatest number that a version in KV has; 0: none. */
export async function greatestNumber(bucket: Bucket): Promise<number> {
  return (await readNumbers(bucket)).at(-1) ?? 0;
}

/** Versions looked at on the way back: what an older one left behind is not known without PostgreSQL. */
const lineMax = 1_000;

/** The current catalog and all that it follows, oldest first. */
async function readLine(bucket: Bucket, current: Catalog | undefined): Promise<readonly Catalog[]> {
  if (current === undefined) return [];
  const numbers = (await readNumbers(bucket)).filter((number) => number < current.version).slice(-lineMax);
  const found = await mapInTurn(numbers, async (number) => (await readEntry(bucket, number)).catalog);
  const byNumber = new Map(found.map((catalog) => [catalog.version, catalog]));
  const line = [current];
  for (let at: Catalog | undefined = current; at !== undefined; ) {
    at = byNumber.get(at.follows ?? nextBelow(numbers, at.version));
    if (at !== undefined) line.unshift(at);
  }
  return line;
}

/** For versions of builds that did not say what they follow. */
function nextBelow(numbers: readonly number[], version: number): number {
  return numbers.filter((number) => number < version).at(-1) ?? 0;
}

async function readNumbers(bucket: Bucket): Promise<number[]> {
  const numbers = (await bucket.keys()).flatMap((key) => /^v\.(\d{1,15})$/.exec(key)?.[1] ?? []);
  return numbers.map(Number).sort((a, b) => a - b);
}

interface Found {
  readonly entry: BucketEntry;
  readonly catalog: Catalog;
}

async function readEntry(bucket: Bucket, version: number): Promise<Found> {
  const entry = await bucket.get(versionKey(version));
  if (entry === undefined) throw notThere(version);
  return { entry, catalog: decodeCatalog(entry.value, version) };
}

export function notThere(version: number): TributaryError {
  return new TributaryError("NOT_FOUND", `there is no catalog version ${version}; see \`tributary catalog list\``);
}

function describe({ entry, catalog }: Found, stateOf: (version: number) => VersionState): VersionEntry {
  const { version, fingerprint } = catalog;
  return {
    version,
    fingerprint,
    recordedAtMs: entry.timestampMs,
    author: null,
    message: null,
    state: stateOf(version),
  };
}

function readRecorded(found: Found, stateOf: (version: number) => VersionState): RecordedVersion {
  const { version, fingerprint, follows = null, ...body } = found.catalog;
  return { ...describe(found, stateOf), body: checkBody(body, { version, fingerprint }), diff: null, follows };
}

const atOnce = 32;

/** In order, some at once. */
async function mapInTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce) {
    results.push(...(await Promise.all(items.slice(at, at + atOnce).map(work))));
  }
  return results;
}
