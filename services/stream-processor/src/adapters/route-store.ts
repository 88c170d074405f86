import type { Lease } from "@tributary/shared/runtime/lease";
import type { Database } from "./database.ts";

/** Up to where a source's shard has been routed: everything up to it is acknowledged in TRIB_KEYED (O2). */
export interface RouteState {
  readonly shards: number;
  readonly incarnation: number;
  readonly sequence: number;
}

export async function loadRoute(database: Database, source: string, shard: number): Promise<RouteState | undefined> {
  const { rows } = await database.query(
    "select shards, incarnation, sequence from stream_routes where source = $1 and shard = $2",
    [source, shard],
  );
  const row = rows[0];
  return row && { shards: Number(row.shards), incarnation: Number(row.incarnation), sequence: Number(row.sequence) };
}

/** @throws TributaryError FENCED when there is a newer owner */
export async function saveRoute(
  database: Database,
  lease: Lease,
  { source, shard, ...state }: RouteState & { readonly source: string; readonly shard: number },
): Promise<void> {
  await database.fenced(lease, (query) =>
    query(
      `insert into stream_routes (source, shard, shards, incarnation, sequence) values ($1, $2, $3, $4, $5)
       on conflict (source, shard) do update set shards = $3, incarnation = $4, sequence = $5`,
      [source, shard, state.shards, state.incarnation, state.sequence],
    ),
  );
}
