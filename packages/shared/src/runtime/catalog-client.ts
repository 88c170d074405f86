import { z } from "zod";
import { type Catalog, catalogSchema } from "../contracts/catalog.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { Bucket } from "../messaging/contract.ts";

/**
 * The catalog as a process sees it. KV holds every version under `v.<n>` and the number of the current one under `current`;
 * a process swaps its whole view at once, so that one read or write never mixes two versions (R4, L4).
 */
export interface CatalogView {
  /** The newest applied catalog; undefined while none is applied. */
  readonly current: Catalog | undefined;
  /** A version that a stored chunk names: from memory, else from KV. Undefined: not there (yet). */
  version(version: number): Promise<Catalog | undefined>;
  /** Called with every new current catalog; returns a function that ends it. */
  onChange(listener: (catalog: Catalog) => void): () => void;
  stop(): Promise<void>;
}

/** What every process says of itself in its micro STATS: who waits for a catalog to be everywhere reads it there. */
export type ProcessStats = {
  /** Of the catalog that the process goes by; 0 while none is applied. */
  readonly catalogVersion: number;
};

export function processStats({ current }: CatalogView): ProcessStats {
  return { catalogVersion: current?.version ?? 0 };
}

export const currentKey = "current";
export const versionKey = (version: number): string => `v.${version}`;
export const currentSchema = z.object({ version: z.number().int().positive(), fingerprint: z.string() });

/** Versions kept in memory; older ones are read again when a chunk names them. */
const versionsKept = 16;

/**
 * Follows the current catalog. A newer one that cannot be taken up (unreadable, or a listener that throws) is told to
 * `onProblem` once a version; the process stays on the one it has and tries again with the watch's next listing.
 */
export async function watchCatalog(
  bucket: Bucket,
  onProblem: (error: unknown) => void = () => {},
): Promise<CatalogView> {
  let told = 0;
  const known = new Map<number, Catalog>();
  const listeners = new Set<(catalog: Catalog) => void>();
  let current: Catalog | undefined;
  const version = async (number: number): Promise<Catalog | undefined> => {
    const held = known.get(number) ?? (await readVersion(bucket, number));
    if (held) remember(known, held);
    return held;
  };
  const take = async (value: Uint8Array): Promise<void> => {
    const pointer = currentSchema.parse(parse(value));
    if (pointer.version <= (current?.version ?? 0)) return;
    const next = await version(pointer.version);
    if (next === undefined) {
      throw new TributaryError("STALE_CATALOG", `catalog version ${pointer.version} is current and not there yet`);
    }
    // The newer of two swaps in flight stays.
    if (next.version <= (current?.version ?? 0)) return;
    current = next;
    for (const listener of listeners) listener(next);
  };
  const first = await bucket.get(currentKey);
  // A version that is not there yet comes with the watch.
  if (first) await take(first.value).catch((error) => unlessStale(error));
  const tell = (error: unknown, revision: number): void => {
    if (revision > told) onProblem(error);
    told = Math.max(told, revision);
  };
  const watch = await bucket.watch(
    currentKey,
    async (entry) => {
      try {
        await take(entry.value);
      } catch (error) {
        tell(error, entry.revision);
        throw error;
      }
    },
    { relistMs: 2_000 },
  );
  return {
    get current() {
      return current;
    },
    version,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => watch.stop(),
  };
}

function unlessStale(error: unknown): void {
  if (!(error instanceof TributaryError) || error.code !== "STALE_CATALOG") throw error;
}

async function readVersion(bucket: Bucket, version: number): Promise<Catalog | undefined> {
  const entry = await bucket.get(versionKey(version));
  if (!entry) return undefined;
  const parsed = catalogSchema.safeParse(parse(entry.value));
  if (!parsed.success)
    throw new TributaryError("UNSUPPORTED_FORMAT", `catalog version ${version} is not of a form this build reads`);
  return parsed.data;
}

function remember(known: Map<number, Catalog>, catalog: Catalog): void {
  known.delete(catalog.version);
  known.set(catalog.version, catalog);
  if (known.size > versionsKept) known.delete(known.keys().next().value as number);
}

function parse(value: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(value));
}
