import { join } from "node:path";
import { type Servers, startServers } from "@tributary/local/servers";
import type { Field, PostgresTable } from "@tributary/shared/contracts/source";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLake } from "../../services/batch-runner/src/adapters/lake-files.ts";
import { openPostgresQuery } from "../../services/batch-runner/src/adapters/postgres-query.ts";
import { type SourceQueryOptions, sourceQueries } from "../../services/batch-runner/src/adapters/source-queries.ts";
import { literal } from "../../services/batch-runner/src/core/sql-text.ts";
import { refineSource } from "../../services/batch-runner/src/handlers/refine-source.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

const directory = temporaryDirectory("postgres-source");
let servers: Servers;
let sql: pg.Pool;
beforeAll(async () => {
  servers = await startServers({ directory: directory.path, need: ["postgres"], fsync: false });
  sql = new pg.Pool({ connectionString: servers.postgres.url });
});
afterAll(async () => {
  await sql?.end();
  await servers?.stop();
  directory.remove();
});

const customers: PostgresTable = {
  kind: "table",
  name: "customers",
  format: "postgres",
  connection: "crm",
  query: "select 1::int8 as id",
  fields: [{ name: "id", type: "int64", nullable: false }],
};
const field = (name: string, type: Field["type"], nullable = true): Field => ({ name, type, nullable });

describe("a query of PostgreSQL as a source", () => {
  const fixture = useEngine();
  let lakes = 0;
  const newLake = () => openLake(join(fixture.directory, `lake-${lakes++}`));
  const refine = (source: PostgresTable, options: Partial<SourceQueryOptions> = {}, lake = newLake()) => {
    const queries = sourceQueries({
      urls: { crm: servers.postgres.url },
      timeoutMs: 20_000,
      rowsMax: 1_000_000,
      ...options,
    });
    const signal = new AbortController().signal;
    const context = { lake, engine: fixture.engine(), instance: "test", queries, signal, report: () => undefined };
    return refineSource(context, source);
  };
  const read = (path: string, columns = "*") =>
    rowsOf(fixture.engine(), `SELECT ${columns} FROM read_parquet(${literal(path)}) ORDER BY ALL`);

  it("takes every type exactly, in whatever form the role's settings would show it", async () => {
    await sql.query("alter role current_user set timezone = 'Asia/Kolkata'");
    await sql.query("alter role current_user set datestyle = 'German'");
    await sql.query("alter role current_user set bytea_output = 'escape'");
    const refined = await refine({
      ...customers,
      fields: [
        field("id", "int64"),
        field("price", "float64"),
        field("exact", "string"),
        field("at", "timestamp"),
        field("local", "timestamp"),
        field("day", "date"),
        field("vip", "bool"),
        field("name", "string"),
        field("face", "bytes"),
        field("more", "json"),
        { ...field("counts", "list"), of: "int64" },
        field("absent", "string"),
      ],
      query: `select 9007199254740991::int8 as id, 0.1::numeric(10,2) as price, 12345678901234567890.10::numeric as exact,
        timestamptz '2026-01-01 12:00:00.1239+02' as at, timestamp '2026-01-01 12:00' as local, (timestamptz '2026-02-28 20:00:00+00')::date as day,
        true as vip, E'é"\\\\n\\n{}' as name, '\\x00ff5c'::bytea as face, '{"a": [1, null]}'::jsonb as more,
        array[9007199254740991, null]::int8[] as counts
        union all select null, null, null, null, null, null, null, null, null, null, null;`,
    });
    expect(refined).toMatchObject({ rows: 2, quarantined: 0, wasUnchanged: false });
    const [row, nulls] = await read(
      refined.path,
      'id, price, exact, epoch_ms("at")::DOUBLE, epoch_ms("local")::DOUBLE, day::VARCHAR, vip, name, face, more, counts, absent',
    );
    expect(row).toEqual([
      9007199254740991n,
      0.1,
      "12345678901234567890.10",
      Date.parse("2026-01-01T10:00:00.123Z"),
      Date.parse("2026-01-01T12:00:00Z"),
      "2026-02-28",
      true,
      'é"\\n\n{}',
      new Uint8Array([0, 255, 92]),
      '{"a":[1,null]}',
      [9007199254740991n, null],
      null,
    ]);
    expect(new Set(nulls)).toEqual(new Set([null]));
  });

  it("sets rows aside that do not fit, and takes equal ones once", async () => {
    const lake = newLake();
    const source: PostgresTable = {
      ...customers,
      fields: [field("id", "int64", false), field("amount", "float64")],
      query: "select * from (values (1, 2.5), (1, 7), (null, 1), (3, 'NaN'), (4, null)) t(id, amount)",
      unique: ["id"],
    };
    const refined = await refine(source, {}, lake);
    expect(refined).toMatchObject({ rows: 2, quarantined: 2 });
    expect(await read(refined.path, "id::INTEGER, amount")).toEqual([
      [1, 7],
      [4, null],
    ]);
    const quarantine = lake.absolute("refined/customers/quarantine/*.parquet");
    expect(await read(quarantine, "id::INTEGER, reason, file")).toEqual([
      [3, 'field "amount" is not a finite number', "crm"],
      [null, 'field "id" is missing', "crm"],
    ]);
  });

  it("tells unchanged rows by their content, whatever their order", async () => {
    const lake = newLake();
    const source = (values: string): PostgresTable => ({
      ...customers,
      query: `select * from (values ${values}) t(id)`,
    });
    expect(await refine(source("(1), (2), (3)"), {}, lake)).toMatchObject({ rows: 3, wasUnchanged: false });
    expect(await refine(source("(3), (1), (2)"), {}, lake)).toMatchObject({ rows: 3, wasUnchanged: true });
    expect(await refine(source("(3), (1), (4)"), {}, lake)).toMatchObject({ rows: 3, wasUnchanged: false });
    expect(await refine(source("(3), (1), (4), (4)"), {}, lake)).toMatchObject({ rows: 4, wasUnchanged: false });
  });

  it("keeps the rows of earlier reads, for runs that are still reading them", async () => {
    const lake = newLake();
    const paths: string[] = [];
    for (let id = 0; id < 10; id++) {
      const { path } = await refine({ ...customers, query: `select ${id} as id` }, {}, lake);
      paths.push(path);
    }
    expect(await read(paths[2] as string, "id::INTEGER")).toEqual([[2]]);
    await expect(read(paths[1] as string)).rejects.toThrow(/No files found/);
  });

  it("takes a query without rows", async () => {
    expect(await refine({ ...customers, query: "select 1 as id where false" })).toMatchObject({ rows: 0 });
  });

  it.each<[string, Partial<PostgresTable>, string, string]>([
    [
      "columns that are missing, of another type or there twice",
      {
        query: "select 'x'::text as id, 1 as twice, 2 as twice",
        fields: [field("id", "int64"), field("name", "string", false), field("twice", "int32")],
      },
      "BAD_SOURCE",
      'source "customers": its query gives column "id" as text, which is not int64 (int2, int4, int8, numeric, float4, float8); ' +
        'it lacks column "name"; it gives two columns named "twice"',
    ],
    [
      "a column that does not exist",
      { query: "select nope from pg_class" },
      "BAD_SOURCE",
      'source "customers": connection "crm": the query fails (42703): column "nope" does not exist',
    ],
    [
      "a value that the query itself cannot read, without the value",
      { query: "select name::int as id from (values ('geheim')) t(name)" },
      "BAD_SOURCE",
      'source "customers": connection "crm": the query fails (22P02): invalid input syntax for type integer',
    ],
    [
      "an exception with data in it",
      { query: "select boom() as id" },
      "BAD_SOURCE",
      `source "customers": connection "crm": the query fails (P0001): an exception of the database's own code`,
    ],
    [
      "a second statement",
      { query: "select 1 as id; commit; create table owned ()" },
      "BAD_SOURCE",
      'source "customers": connection "crm": the query fails (42601): cannot insert multiple commands into a prepared statement',
    ],
    [
      "a query that writes",
      { query: "select nextval('numbers') as id" },
      "BAD_SOURCE",
      'source "customers": connection "crm": the query fails (25006): cannot execute nextval() in a read-only transaction',
    ],
    [
      "a connection without a URL",
      { connection: "back_office" },
      "BAD_CONFIG",
      'source "customers" reads connection "back_office", and SOURCE_BACK_OFFICE_URL is not set',
    ],
  ])("names %s", async (_what, change, code, message) => {
    await sql.query("create sequence if not exists numbers");
    await sql.query(
      "create or replace function boom() returns int language plpgsql as $$ begin raise 'geheim'; end $$",
    );
    await expect(refine({ ...customers, ...change })).rejects.toMatchObject({ code, message });
  });

  it("tells a database that does not answer from one that refuses, and shows no password", async () => {
    const { host } = new URL(servers.postgres.url);
    const url = (change: (url: URL) => void) => {
      const changed = new URL(servers.postgres.url);
      change(changed);
      return { urls: { crm: changed.href } };
    };
    const said = async (options: Partial<SourceQueryOptions>) =>
      refine(customers, options).then(
        () => expect.unreachable("it was read"),
        ({ code, message, retryable }) => ({ code, message, retryable }),
      );
    expect(host).toBeTruthy();
    expect(await said(url((one) => Object.assign(one, { port: "1" })))).toEqual({
      code: "UNAVAILABLE",
      message: 'source "customers": connection "crm": PostgreSQL does not answer',
      retryable: true,
    });
    expect(await said(url((one) => Object.assign(one, { password: "wrong" })))).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("refuses the connection (28P01)"),
    });
    expect(await said(url((one) => Object.assign(one, { pathname: "/nope" })))).toMatchObject({ code: "BAD_CONFIG" });
  });

  it("ends a statement that lasts too long, and a query with too many rows", async () => {
    await expect(
      refine({ ...customers, query: "select 1 as id, pg_sleep(60)" }, { timeoutMs: 500 }),
    ).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("took longer than 500 ms"),
    });
    const many = { ...customers, query: "select * from generate_series(1, 1001) t(id)" };
    await expect(refine(many, { rowsMax: 1_000 })).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: 'source "customers": its query gives more than 1000 rows',
    });
    expect(await refine(many, { rowsMax: 1_001 })).toMatchObject({ rows: 1_001 });
  });

  it("lets go at once when the run is ended", async () => {
    const ended = new AbortController();
    const options = { url: servers.postgres.url, timeoutMs: 60_000, signal: ended.signal };
    const opening = openPostgresQuery({ ...customers, query: "select pg_sleep(60)" }, options);
    const sleeping = "select 1 from pg_stat_activity where query like 'FETCH%' and wait_event = 'PgSleep'";
    while ((await sql.query(sleeping)).rowCount === 0);
    ended.abort(new Error("the lease is lost"));
    await expect(opening).rejects.toThrow("the lease is lost");
  });

  it("reads one snapshot, whatever is written meanwhile", async () => {
    await sql.query("create table visits as select id from generate_series(1, 5000) t(id)");
    const options = { url: servers.postgres.url, timeoutMs: 20_000, signal: new AbortController().signal };
    await sql.query("create function counted() returns bigint language sql volatile as 'select count(*) from visits'");
    const query = await openPostgresQuery({ ...customers, query: "select id, counted() from visits" }, options);
    await sql.query("delete from visits where id > 1000; insert into visits values (9999)");
    const seen = new Set<unknown>();
    const counts = new Set<unknown>();
    for (let batch = await query.next(); batch; batch = await query.next()) {
      for (const id of batch.columns[0] ?? []) seen.add(id);
      for (const count of batch.columns[1] ?? []) counts.add(count);
    }
    await query.close();
    expect(seen.size).toBe(5_000);
    expect(seen.has("9999")).toBe(false);
    expect(counts).toEqual(new Set(["5000"]));
  });

  it("takes more rows than the engine's memory holds, a few megabytes at a time", async () => {
    const source: PostgresTable = {
      ...customers,
      fields: [field("id", "int64", false), field("text", "string")],
      query: "select id, repeat(md5(id::text), 20) as text from generate_series(1, 500000) t(id)",
    };
    const held: number[] = [];
    const queries = sourceQueries({ urls: { crm: servers.postgres.url }, timeoutMs: 60_000, rowsMax: 1_000_000 });
    const measured: typeof queries = {
      ...queries,
      open: async (...given) => {
        const query = await queries.open(...given);
        const next = async () => {
          const batch = await query.next();
          held.push(batch?.bytes ?? 0);
          return batch;
        };
        return { ...query, next };
      },
    };
    const signal = new AbortController().signal;
    const context = {
      lake: newLake(),
      engine: fixture.engine(),
      instance: "test",
      queries: measured,
      signal,
      report: () => undefined,
    };
    expect(await refineSource(context, source)).toMatchObject({ rows: 500_000, quarantined: 0 });
    expect(held.reduce((total, bytes) => total + bytes, 0)).toBeGreaterThan(300_000_000);
    expect(Math.max(...held)).toBeLessThan(5_000_000);
  });
});
