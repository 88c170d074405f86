import type { OriginPosition } from "@tributary/shared/contracts/events";
import type { Lease, SqlQuery } from "@tributary/shared/runtime/lease";
import type { ErasedKey } from "../core/erased-keys.ts";
import type { CommitContent } from "../core/partition-book.ts";
import type { KeyName, LoadedPartition, StoredKey, StoredPartition } from "../core/partition-storage.ts";
import type { Database } from "./database.ts";

/** All of it or nothing, and nothing when the fence is not the newest. */
export interface PartitionCommit extends CommitContent {
  readonly partition: number;
}

const keysPerStatement = 1_000;

export async function loadPartition(database: Database, partition: number): Promise<LoadedPartition | undefined> {
  const { rows } = await database.query("select * from stream_partitions where partition = $1", [partition]);
  if (rows[0] === undefined) return undefined;
  const keys = await database.query(
    "select view, view_version, key, state, told_until from stream_keys where partition = $1",
    [partition],
  );
  const erased = await database.query("select entity, key, event_time from stream_erasures where partition = $1", [
    partition,
  ]);
  return { stored: toPartition(rows[0]), keys: keys.rows.map(toKey), erased: erased.rows.map(toErased) };
}

/** @throws TributaryError FENCED, UNAVAILABLE */
export async function savePartition(database: Database, lease: Lease, commit: PartitionCommit): Promise<void> {
  await database.fenced(lease, async (query) => {
    for (const { view, viewVersion } of commit.removedViews)
      await query("delete from stream_keys where partition = $1 and view = $2 and view_version = $3", [
        commit.partition,
        view,
        viewVersion,
      ]);
    for (const part of slices(commit.removed)) await deleteKeys(query, commit.partition, part);
    for (const part of slices(commit.saved)) await upsertKeys(query, commit.partition, part);
    for (const part of slices(greatestOf(commit.erased))) await upsertErased(query, commit.partition, part);
    await upsertPartition(query, commit);
  });
}

async function upsertPartition(query: SqlQuery, commit: PartitionCommit): Promise<void> {
  await query(
    `insert into stream_partitions (partition, incarnation, position, catalog_version, origins, marks, watermarks)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (partition) do update
     set incarnation = $2, position = $3, catalog_version = $4, origins = $5, marks = $6, watermarks = $7`,
    [
      commit.partition,
      commit.incarnation,
      commit.position,
      commit.catalogVersion,
      JSON.stringify(Object.fromEntries(commit.origins)),
      JSON.stringify(Object.fromEntries(commit.marks)),
      JSON.stringify(Object.fromEntries(commit.watermarks)),
    ],
  );
}

async function upsertKeys(query: SqlQuery, partition: number, keys: readonly StoredKey[]): Promise<void> {
  await query(
    `insert into stream_keys (partition, view, view_version, key, state, told_until)
     select $1, * from unnest($2::text[], $3::int[], $4::text[], $5::bytea[], $6::bigint[])
     on conflict (partition, view, view_version, key) do update
     set state = excluded.state, told_until = excluded.told_until`,
    [
      partition,
      keys.map(({ view }) => view),
      keys.map(({ viewVersion }) => viewVersion),
      keys.map(({ key }) => key),
      keys.map(({ state }) => Buffer.from(state.buffer, state.byteOffset, state.byteLength)),
      keys.map(({ toldUntilMs }) => toldUntilMs),
    ],
  );
}

/** A statement may touch a row once. */
function greatestOf(erased: readonly ErasedKey[]): ErasedKey[] {
  return [...new Map(erased.map((one) => [JSON.stringify([one.entity, one.key]), one])).values()];
}

async function upsertErased(query: SqlQuery, partition: number, erased: readonly ErasedKey[]): Promise<void> {
  await query(
    `insert into stream_erasures (partition, entity, key, event_time)
     select $1, * from unnest($2::text[], $3::text[], $4::bigint[])
     on conflict (partition, entity, key) do update set event_time = excluded.event_time`,
    [
      partition,
      erased.map(({ entity }) => entity),
      erased.map(({ key }) => key),
      erased.map(({ eventTime }) => eventTime),
    ],
  );
}

async function deleteKeys(query: SqlQuery, partition: number, keys: readonly KeyName[]): Promise<void> {
  await query(
    `delete from stream_keys using unnest($2::text[], $3::int[], $4::text[]) as gone(view, view_version, key)
     where stream_keys.partition = $1 and stream_keys.view = gone.view
       and stream_keys.view_version = gone.view_version and stream_keys.key = gone.key`,
    [partition, keys.map(({ view }) => view), keys.map(({ viewVersion }) => viewVersion), keys.map(({ key }) => key)],
  );
}

function toPartition(row: Readonly<Record<string, unknown>>): StoredPartition {
  return {
    incarnation: Number(row.incarnation),
    position: Number(row.position),
    catalogVersion: Number(row.catalog_version),
    origins: new Map(Object.entries(row.origins as Record<string, OriginPosition>)),
    marks: new Map(Object.entries(row.marks as Record<string, number>)),
    watermarks: new Map(Object.entries(row.watermarks as Record<string, number>)),
  };
}

function toKey(row: Readonly<Record<string, unknown>>): StoredKey {
  return {
    view: String(row.view),
    viewVersion: Number(row.view_version),
    key: String(row.key),
    state: row.state as Uint8Array,
    toldUntilMs: row.told_until === null ? null : Number(row.told_until),
  };
}

function toErased(row: Readonly<Record<string, unknown>>): ErasedKey {
  return { entity: String(row.entity), key: String(row.key), eventTime: Number(row.event_time) };
}

function slices<T>(items: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < items.length; at += keysPerStatement) out.push(items.slice(at, at + keysPerStatement));
  return out;
}
