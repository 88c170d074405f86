import type { Feature } from "@tributary/shared/contracts/feature";
import { cellReader, plainColumn } from "../../services/batch-runner/src/core/cell-value.ts";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import { identifier } from "../../services/batch-runner/src/core/sql-text.ts";
import { typedRowsQuery } from "../../services/batch-runner/src/core/typed-rows.ts";
import { rowsOf } from "./engine-fixture.ts";

/** What becomes of the value of an SQL expression as one feature of one row: why it is withheld, or how it travels. */
export async function castOne(
  engine: Engine,
  feature: Feature,
  sql: string,
): Promise<{ problem: unknown; value: unknown }> {
  const typed = {
    view: "v",
    entity: { name: "e", keys: [{ name: "id", type: "string" as const }] },
    features: [feature],
    partitions: 8,
  };
  const query = `SELECT 'a' AS id, ${sql} AS f`;
  const rows = typedRowsQuery(typed, query, await engine.describe(query));
  const [found] = await rowsOf(engine, `SELECT _problem, ${plainColumn(feature, identifier("f"))} FROM (${rows})`);
  const [problem, plain] = found ?? [];
  return { problem, value: problem === null ? cellReader(feature)(plain) : undefined };
}
