import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { engineFunction } from "../core/cel-function.ts";
import type { Engine } from "../core/engine.ts";
import { calledFeatures, onDemandFunction } from "../core/on-demand-function.ts";
import { literal } from "../core/sql-text.ts";

/**
 * Makes the on-demand features that a view's SQL calls known to the engine.
 * @throws TributaryError INVALID_DEFINITION for one that the engine has a function of the same name for: which is meant?
 */
export async function defineOnDemand(engine: Engine, view: BatchView, catalog: Catalog): Promise<void> {
  for (const feature of calledFeatures(catalog, view.sql)) {
    if (await isTaken(engine, feature.name))
      throw new TributaryError(
        "INVALID_DEFINITION",
        `view "${view.name}": its SQL calls "${feature.name}", which is an on-demand feature and a function of SQL; rename the feature`,
      );
    const { cel, macros } = onDemandFunction(feature);
    engine.register(engineFunction(cel));
    for (const macro of macros) await engine.exec(macro);
  }
}

async function isTaken(engine: Engine, name: string): Promise<boolean> {
  const query = `SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = lower(${literal(name)}) LIMIT 1`;
  for await (const { rows } of engine.stream(query)) return rows > 0;
  return false;
}
