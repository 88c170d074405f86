import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TableSource } from "@tributary/shared/contracts/source";
import { describe, expect, it } from "vitest";
import { type Lake, openLake } from "../../services/batch-runner/src/adapters/lake-files.ts";
import { sourceQueries } from "../../services/batch-runner/src/adapters/source-queries.ts";
import { literal } from "../../services/batch-runner/src/core/sql-text.ts";
import { refineSource } from "../../services/batch-runner/src/handlers/refine-source.ts";
import { sales } from "./definitions.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

describe("refining a source", () => {
  const fixture = useEngine();
  let lakes = 0;
  const newLake = (): Lake => openLake(join(fixture.directory, `lake-${lakes++}`));
  const refine = (lake: Lake, source: TableSource = sales) =>
    refineSource(
      {
        lake,
        engine: fixture.engine(),
        instance: "test",
        queries: sourceQueries({ urls: {}, timeoutMs: 1_000, rowsMax: 1 }),
        signal: new AbortController().signal,
        report: () => undefined,
      },
      source,
    );
  const landParquet = async (lake: Lake, name: string, query: string): Promise<string> => {
    await mkdir(lake.absolute("raw/sales"), { recursive: true });
    const path = lake.absolute(`raw/sales/${name}.parquet`);
    await fixture.engine().writeParquet(query, path);
    return path;
  };
  const read = (path: string, columns = "*") =>
    rowsOf(fixture.engine(), `SELECT ${columns} FROM read_parquet(${literal(path)}) ORDER BY ALL`);
  const sale = (id: number, amount: string, shop = "'oslo'") =>
    `SELECT ${id} AS id, ${shop} AS shop, ${amount} AS amount, TIMESTAMP '2026-01-01' AS sold_at`;

  it("names the pattern that no file matches", async () => {
    await expect(refine(newLake())).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: 'source "sales": no file matches "raw/sales/*.parquet"',
    });
  });

  it("names the file and the columns it lacks, also when other files have them", async () => {
    const lake = newLake();
    await landParquet(lake, "a", sale(1, "1.5"));
    const path = await landParquet(lake, "b", "SELECT 2 AS id, 1.0 AS amount");
    await expect(refine(lake)).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: `source "sales": file ${path} lacks column "shop", "sold_at"`,
    });
  });

  it("names a file that is no Parquet, and one that was cut", async () => {
    const lake = newLake();
    await landParquet(lake, "a", sale(1, "1.5"));
    const text = lake.absolute("raw/sales/b.parquet");
    await writeFile(text, "id,shop\n1,oslo\n");
    const said = (path: string) => ({
      code: "BAD_SOURCE",
      message: expect.stringContaining(`file ${path} cannot be read as parquet`),
    });
    await expect(refine(lake)).rejects.toMatchObject(said(text));
    const cut = await landParquet(lake, "b", `SELECT * FROM (${sale(1, "1.5")}) t, range(1000)`);
    await truncate(cut, 500);
    await expect(refine(lake)).rejects.toMatchObject(said(cut));
  });

  it("names a file whose data is damaged inside", async () => {
    const lake = newLake();
    await landParquet(lake, "a", sale(1, "1.5"));
    const path = await landParquet(
      lake,
      "b",
      `SELECT range AS id, md5(range::VARCHAR) AS shop, 1.5 AS amount, TIMESTAMP '2026-01-01' AS sold_at FROM range(20000)`,
    );
    const { open } = await import("node:fs/promises");
    const file = await open(path, "r+");
    await file.write(Buffer.alloc(60_000, 0x7a), 0, 60_000, 1_000);
    await file.close();
    await expect(refine(lake)).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: expect.stringContaining(`file ${path} cannot be read`),
    });
  });

  it("types the rows, takes equal ones once and sets bad ones aside with the reason", async () => {
    const lake = newLake();
    await landParquet(
      lake,
      "a",
      `${sale(1, "'1.5'")} UNION ALL ${sale(1, "'2.5'")} UNION ALL ${sale(2, "'x'")} UNION ALL ${sale(3, "NULL")}`,
    );
    await landParquet(
      lake,
      "b",
      `${sale(1, "2")} UNION ALL ${sale(4, "'nan'::DOUBLE")} UNION ALL ${sale(5, "1", "NULL")}`,
    );
    const refined = await refine(lake);
    expect(refined).toMatchObject({ rows: 2, quarantined: 3, wasUnchanged: false });
    expect(await read(refined.path, "id::INTEGER, amount")).toEqual([
      [1, 2],
      [3, null],
    ]);
    const [input] = (await lake.list("refined/sales")).filter((name) => /^[0-9a-f]{16}$/.test(name));
    expect(await read(lake.absolute(`refined/sales/quarantine/${input}.parquet`), "id::INTEGER, reason")).toEqual([
      [2, 'field "amount" is not float64'],
      [4, 'field "amount" is not a finite number'],
      [5, 'field "shop" is missing'],
    ]);
  });

  it("does nothing while the raw files are the same, and follows when one is added or changed", async () => {
    const lake = newLake();
    await landParquet(lake, "a", sale(1, "1"));
    expect(await refine(lake)).toMatchObject({ rows: 1, wasUnchanged: false });
    expect(await refine(lake)).toMatchObject({ rows: 1, wasUnchanged: true });
    await landParquet(lake, "b", sale(2, "1"));
    expect(await refine(lake)).toMatchObject({ rows: 2, wasUnchanged: false });
    await landParquet(lake, "a", `${sale(1, "1")} UNION ALL ${sale(9, "1")}`);
    expect(await refine(lake)).toMatchObject({ rows: 3, wasUnchanged: false });
    expect(await refine(lake, { ...sales, unique: [] })).toMatchObject({ wasUnchanged: false });
  });

  it("reads CSV by its header, whatever the order of columns", async () => {
    const lake = newLake();
    const source: TableSource = { ...sales, format: "csv", files: ["raw/sales/*.csv"] };
    await mkdir(lake.absolute("raw/sales"), { recursive: true });
    await writeFile(
      lake.absolute("raw/sales/a.csv"),
      'shop,id,sold_at,amount\n"São, Paulo",1,2026-01-01T00:00:00+02:00,1.5\n',
    );
    await writeFile(
      lake.absolute("raw/sales/b.csv"),
      "id,shop,amount,sold_at,extra\n2,rome,,2026-01-01 00:00:00,x\nthree,rome,1,2026-01-01,x\n",
    );
    const refined = await refine(lake, source);
    expect(refined).toMatchObject({ rows: 2, quarantined: 1 });
    expect(await read(refined.path, "id::INTEGER, shop, amount, sold_at::VARCHAR")).toEqual([
      [1, "São, Paulo", 1.5, "2025-12-31 22:00:00"],
      [2, "rome", null, "2026-01-01 00:00:00"],
    ]);
    await writeFile(lake.absolute("raw/sales/c.csv"), "id,shop\n3,rome\n");
    await expect(refine(lake, source)).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: expect.stringContaining('c.csv lacks column "sold_at"'),
    });
  });

  const json: TableSource = { ...sales, format: "json", files: ["raw/sales/*.json"] };
  const landJson = async (lake: Lake, name: string, text: string): Promise<string> => {
    await mkdir(lake.absolute("raw/sales"), { recursive: true });
    const path = lake.absolute(`raw/sales/${name}.json`);
    await writeFile(path, text);
    return path;
  };

  it("reads JSON, one object a line or one array, and sets bad records aside with the reason", async () => {
    const lake = newLake();
    await landJson(
      lake,
      "a",
      `{"id":1,"shop":"São, \\"Paulo\\"","amount":1.5,"sold_at":"2026-01-01T00:00:00+02:00","extra":[1]}
       {"sold_at":1767225600000,"shop":"rome","id":2}
       {"id":3,"shop":"rome","amount":"x","sold_at":"2026-01-01"}
       {"id":4,"shop":null,"sold_at":"2026-01-01"}
       {"ID":5,"shop":"rome","sold_at":"2026-01-01"}
       [6]`,
    );
    await landJson(
      lake,
      "b",
      `[{"id":7,"shop":"bonn","amount":null,"sold_at":0},\n {"id":1,"shop":"bonn","sold_at":0}]`,
    );
    await landJson(lake, "c", "[]");
    await landJson(lake, "d", "");
    const refined = await refine(lake, json);
    expect(refined).toMatchObject({ rows: 3, quarantined: 4 });
    expect(await read(refined.path, "id::INTEGER, shop, amount, sold_at::VARCHAR")).toEqual([
      [1, "bonn", null, "1970-01-01 00:00:00"],
      [2, "rome", null, "2026-01-01 00:00:00"],
      [7, "bonn", null, "1970-01-01 00:00:00"],
    ]);
    const [input] = (await lake.list("refined/sales")).filter((name) => /^[0-9a-f]{16}$/.test(name));
    expect(await read(lake.absolute(`refined/sales/quarantine/${input}.parquet`), "id::INTEGER, reason")).toEqual([
      [3, 'field "amount" is not float64'],
      [4, 'field "shop" is missing'],
      [null, 'field "id" is missing'],
      [null, "the record is not an object"],
    ]);
  });

  it("names the JSON file of which no record has a column, and the one that is damaged or no JSON", async () => {
    const lake = newLake();
    await landJson(lake, "a", `{"id":1,"shop":"rome","sold_at":0}`);
    const lacking = await landJson(lake, "b", `{"id":1}\n{"id":2,"Shop":"rome"}`);
    await expect(refine(lake, json)).rejects.toMatchObject({
      code: "BAD_SOURCE",
      message: `source "sales": file ${lacking} lacks column "shop", "sold_at"`,
    });
    for (const text of [`{"id":1,"shop":"rome","sold_at":0}\n{"id":2,"sh`, "id,shop\n1,rome\n"]) {
      const path = await landJson(lake, "b", text);
      await expect(refine(lake, json)).rejects.toMatchObject({
        code: "BAD_SOURCE",
        message: expect.stringContaining(`file ${path} cannot be read as json`),
      });
    }
  });

  it("takes a nullable field that no file has as NULL", async () => {
    const lake = newLake();
    await landParquet(lake, "a", "SELECT 1 AS id, 'oslo' AS shop, TIMESTAMP '2026-01-01' AS sold_at");
    const refined = await refine(lake);
    expect(await read(refined.path, "id::INTEGER, amount")).toEqual([[1, null]]);
  });
});
