import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { canonicalJson } from "@tributary/shared/definitions/canonical-json";
import type { Client } from "pg";
import type { Change } from "./change.ts";
import { select } from "./database-history.ts";

/** "trib" + 1: one apply at a time; the pointer's compare-and-set is what counts. */
const lockKey = 0x74726963;

/** @throws TributaryError CATALOG_CONFLICT when somebody else holds it */
export async function exclusively<T>(client: Client, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ got: boolean }>("select pg_try_advisory_lock($1) as got", [lockKey]);
  if (rows[0]?.got !== true) {
    throw new TributaryError("CATALOG_CONFLICT", "somebody else is applying a catalog right now");
  }
  try {
    return await work();
  } finally {
    await client.query("select pg_advisory_unlock($1)", [lockKey]);
  }
}

export interface NewVersion {
  readonly body: CatalogBody;
  readonly fingerprint: string;
  readonly author: string;
  readonly message: string;
  readonly diff: readonly Change[];
  /** The version it was planned against; 0: none. */
  readonly follows: number;
}

/** Its number, above every other of the history. It counts from `markCurrent` on. */
export async function recordVersion(client: Client, version: NewVersion): Promise<number> {
  const { body, fingerprint, author, message, diff, follows } = version;
  const rows = await select(
    client,
    `insert into catalog_versions (version, fingerprint, body, author, message, diff, follows)
     select greatest(coalesce(max(version), 0), $1) + 1, $2, $3, $4, $5, $6, $1 from catalog_versions returning version`,
    [follows, fingerprint, canonicalJson(body), author, message, JSON.stringify(diff)],
  );
  return Number(rows[0]?.version);
}

/** After the swap; again by the next apply, for one that ended in between. */
export async function markCurrent(client: Client, version: number): Promise<void> {
  await select(
    client,
    "update catalog_versions set current_since = now() where version = $1 and current_since is null",
    [version],
  );
}
