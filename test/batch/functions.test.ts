import { describe, expect, it } from "vitest";
import { openDuckDb } from "../../services/batch-runner/src/adapters/duckdb-engine.ts";
import type { EngineFunction } from "../../services/batch-runner/src/core/engine.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

describe("a function of our own in SQL", () => {
  const fixture = useEngine();
  const echo = (name: string, type: EngineFunction["result"]): EngineFunction => ({
    name,
    parameters: [type],
    result: type,
    evaluate: ([value]) => value,
  });

  it.each<[EngineFunction["result"], string, unknown]>([
    ["BOOLEAN", "true", true],
    ["INTEGER", "7", 7],
    ["FLOAT", "0.5", 0.5],
    ["DOUBLE", "1.25", 1.25],
    ["VARCHAR", "'é'", "é"],
    ["BLOB", "'ab'::BLOB", new Uint8Array([97, 98])],
    ["VARCHAR[]", "['a', NULL]", ["a", null]],
    ["DOUBLE[]", "[1.5]", [1.5]],
  ])("takes and gives %s, and NULL", async (type, sql, value) => {
    const name = `echo_${type.replace("[]", "_list").toLowerCase()}`;
    fixture.engine().register(echo(name, type));
    expect(await rowsOf(fixture.engine(), `SELECT ${name}(${sql}), ${name}(NULL)`)).toEqual([[value, null]]);
  });

  it("is asked about NULL too", async () => {
    fixture
      .engine()
      .register({ name: "lacks", parameters: ["DOUBLE"], result: "BOOLEAN", evaluate: ([x]) => x === null });
    expect(await rowsOf(fixture.engine(), "SELECT lacks(x), lacks(NULL) FROM (VALUES (1.0), (NULL)) t(x)")).toEqual([
      [false, true],
      [true, true],
    ]);
  });

  it("is asked for every row, by several threads of the engine, in its locked settings", async () => {
    const engine = await openDuckDb({
      memoryMb: 256,
      threads: 2,
      temporaryMb: 100,
      temporaryDirectory: `${fixture.directory}/two`,
    });
    try {
      const parameters = ["DOUBLE", "VARCHAR"] as const;
      engine.register({
        name: "is_odd",
        parameters,
        result: "BOOLEAN",
        evaluate: ([x, text]) => text === `n${x}` && Number(x) % 2 === 1,
      });
      const query = "SELECT count(*)::INTEGER FROM range(300000) t(x) WHERE is_odd(x::DOUBLE, 'n' || x)";
      expect(await rowsOf(engine, query)).toEqual([[150_000]]);
      const path = `${fixture.directory}/odd.parquet`;
      expect(await engine.writeParquet("SELECT x FROM range(10000) t(x) WHERE is_odd(x::DOUBLE, 'n' || x)", path)).toBe(
        5_000,
      );
    } finally {
      engine.close();
    }
  });

  it("fails the statement when it throws, and nothing else", async () => {
    const boom = () => {
      throw new Error("boom");
    };
    fixture.engine().register({ name: "boom", parameters: ["DOUBLE"], result: "DOUBLE", evaluate: boom });
    await expect(rowsOf(fixture.engine(), "SELECT boom(1)")).rejects.toThrow(/boom/);
    expect(await rowsOf(fixture.engine(), "SELECT 1")).toEqual([[1]]);
  });
});
