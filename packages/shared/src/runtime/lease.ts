import { TributaryError } from "../contracts/errors.ts";

/**
 * A lease says who works; it never decides what counts. Its fence grows with each change of owner, and every state
 * write checks it (`assertFence`), so a paused owner that wakes up changes nothing.
 *
 * Kept in PostgreSQL, table `leases(name, owner, fence, until)`, in the database's own time. The port is one function, so
 * that this file needs no driver. The same owner name takes its own lease back at once, with a higher fence.
 */
export type SqlQuery = (
  sql: string,
  values: readonly unknown[],
) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>;

export interface Lease {
  readonly name: string;
  readonly fence: number;
}

/** Takes the lease if it is free, expired or already this owner's. Undefined: somebody else holds it. */
export async function acquireLease(
  query: SqlQuery,
  name: string,
  owner: string,
  ttlMs: number,
): Promise<Lease | undefined> {
  const { rows } = await query(
    `insert into leases (name, owner, fence, until) values ($1, $2, 1, now() + $3 * interval '1 millisecond')
     on conflict (name) do update set owner = $2, fence = leases.fence + 1, until = now() + $3 * interval '1 millisecond'
     where leases.until < now() or leases.owner = $2
     returning fence`,
    [name, owner, ttlMs],
  );
  return rows[0] === undefined ? undefined : { name, fence: Number(rows[0].fence) };
}

/** Renews in one statement for many leases; returns the names that are still held under their fence. */
export async function renewLeases(
  query: SqlQuery,
  leases: readonly Lease[],
  ttlMs: number,
): Promise<ReadonlySet<string>> {
  const { rows } = await query(
    `update leases set until = now() + $3 * interval '1 millisecond'
     from unnest($1::text[], $2::bigint[]) as held(name, fence)
     where leases.name = held.name and leases.fence = held.fence
     returning leases.name`,
    [leases.map((lease) => lease.name), leases.map((lease) => lease.fence), ttlMs],
  );
  return new Set(rows.map((row) => String(row.name)));
}

export async function releaseLease(query: SqlQuery, lease: Lease): Promise<void> {
  await query("update leases set until = now() where name = $1 and fence = $2", [lease.name, lease.fence]);
}

/** Inside a state-changing transaction: locks the lease row and fails unless this fence is the newest. */
export async function assertFence(query: SqlQuery, lease: Lease): Promise<void> {
  const { rows } = await query("select fence from leases where name = $1 for share", [lease.name]);
  if (Number(rows[0]?.fence) !== lease.fence) {
    throw new TributaryError(
      "FENCED",
      `"${lease.name}" has a newer owner (fence ${String(rows[0]?.fence)}, ours ${lease.fence})`,
    );
  }
}
