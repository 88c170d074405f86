import type { Engine } from "../core/engine.ts";

/** How many rows a relation has; `relation` may go on with a WHERE. */
export async function countRows(engine: Engine, relation: string): Promise<number> {
  for await (const { columns } of engine.stream(`SELECT count(*)::DOUBLE FROM ${relation}`)) {
    return Number(columns[0]?.[0]);
  }
  return 0;
}
