import type { BatchView } from "@tributary/shared/contracts/catalog";
import type { PostgresTable } from "@tributary/shared/contracts/source";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sourceQueries } from "../../services/batch-runner/src/adapters/source-queries.ts";
import { catalogOf, noon, sales } from "./definitions.ts";
import { type Bench, type Rig, startRig } from "./rig.ts";

let rig: Rig;
let sql: pg.Pool;
beforeAll(async () => {
  rig = await startRig();
  sql = new pg.Pool({ connectionString: rig.databaseUrl });
  await sql.query("create table crm_sales (id int8, shop text, amount numeric, sold_at timestamptz)");
});
afterAll(async () => {
  await sql?.end();
  await rig?.stop();
});

const query: PostgresTable = {
  kind: "table",
  name: sales.name,
  fields: sales.fields,
  unique: ["id"],
  format: "postgres",
  connection: "crm",
  query: "select * from crm_sales",
};

describe("a run that reads a query", () => {
  const bench = async (name: string): Promise<{ bench: Bench; run: Bench["run"] }> => {
    await sql.query("truncate crm_sales");
    const found = await rig.bench(name);
    const view: BatchView = { ...found.view, name };
    const run: Bench["run"] = (end = noon, options = {}) =>
      found.run(end, { catalog: catalogOf(view, query), ...options });
    return { bench: found, run };
  };
  const sell = (id: number, shop: string, amount: number) =>
    sql.query("insert into crm_sales values ($1, $2, $3, '2026-03-01 10:00:00+00')", [id, shop, amount]);

  it("publishes what differs, and nothing when the rows are the same", async () => {
    const { bench: found, run } = await bench("crm_delta");
    await sell(1, "oslo", 5);
    await sell(2, "rome", 7);
    expect((await run()).counts).toMatchObject({ inserted: 2, published: 2 });
    const before = (await found.published()).length;
    await sql.query("update crm_sales set id = id");
    expect((await run()).counts).toMatchObject({ unchanged: 2, published: 0 });
    expect((await found.published()).length).toBe(before);
    await sell(3, "rome", 9);
    expect((await run()).counts).toMatchObject({ updated: 1, unchanged: 1, published: 1 });
  });

  it("fails while the database is away, keeps what is published, and goes on when it is back", async () => {
    const { run } = await bench("crm_away");
    await sell(1, "oslo", 5);
    await run();
    const away = sourceQueries({ urls: { crm: "postgres://a:b@127.0.0.1:1/x" }, timeoutMs: 1_000, rowsMax: 10 });
    await sell(2, "rome", 7);
    await expect(run(noon, { queries: away })).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect((await run()).counts).toMatchObject({ inserted: 1, unchanged: 1, deleted: 0, published: 1 });
  });
});
