import type { BatchView, Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { TableSource } from "@tributary/shared/contracts/source";
import { engineFunction, functionMacro } from "../core/cel-function.ts";
import { EngineError } from "../core/engine.ts";
import { blankedRowsQuery } from "../core/erasure-sql.ts";
import { lakePaths } from "../core/lake-layout.ts";
import { identifier, instant, literal } from "../core/sql-text.ts";
import { goodRowsQuery, typedRowsQuery, withheldQuery } from "../core/typed-rows.ts";
import { whereFunction } from "../core/where-function.ts";
import { countRows } from "./count-rows.ts";
import { defineOnDemand } from "./define-on-demand.ts";
import type { ErasedKeys } from "./open-erased.ts";
import { refineSource } from "./refine-source.ts";
import { type RunContext, step } from "./run-ports.ts";

/**
 * Computes a view's rows for one interval into the run's stage, and leaves in the engine the relations that the comparison
 * reads: `_current` (good rows, each key once) and `_withheld` (keys set aside, with the reason).
 */
export interface ComputeInput {
  readonly catalog: Catalog;
  readonly view: BatchView;
  readonly run: number;
  readonly intervalEndMs: number;
  /** What the engine knows of them stands in its relations (see erasure-sql.ts). */
  readonly erased: ErasedKeys;
}

export interface Computed {
  readonly rowsWithheld: number;
  /** Of keys that are kept out. */
  readonly rowsErased: number;
  /** Partitions with a withheld key: they are not computed whole (C3). */
  readonly partitionsWithheld: ReadonlySet<number>;
}

/** @throws TributaryError BAD_SOURCE, INVALID_DEFINITION, LIMIT_EXCEEDED */
export async function computeRun(context: RunContext, input: ComputeInput): Promise<Computed> {
  const { engine, lake } = context;
  const { view, catalog } = input;
  await openSources(context, input);
  await step(context, "refined");
  await engine.exec(`CREATE MACRO interval_start() AS ${instant(input.intervalEndMs - view.everyMs)}`);
  await engine.exec(`CREATE MACRO interval_end() AS ${instant(input.intervalEndMs)}`);
  await defineFilter(context, view);
  await defineOnDemand(engine, view, catalog);
  const sql = view.sql.trim().replace(/;$/, "");
  const entity = catalog.entities[view.entity];
  if (entity === undefined) throw invalid(view, `its entity "${view.entity}" is not in the catalog`);
  const typed = { view: view.name, entity, features: view.features, partitions: catalog.partitions };
  const path = lake.absolute(`${lakePaths.stage(view.name, input.run)}/computed.parquet`);
  await lake.makeDirectory(lakePaths.stage(view.name, input.run));
  context.report({ progress: { step: "computing", done: 0, total: 1 } });
  await runsSql(view, async () => {
    const query = typedRowsQuery(typed, sql, await engine.describe(`SELECT * FROM (${sql}\n)`));
    const names = view.features.map(({ name }) => name);
    await engine.writeParquet(input.erased.keptOut === 0 ? query : blankedRowsQuery(query, names), path);
  });
  const rowsErased = await openComputed(context, input, path);
  await engine.exec(`CREATE TABLE _withheld AS ${withheldQuery("_computed")}`);
  await engine.exec(`CREATE VIEW _current AS ${goodRowsQuery("_computed", "_withheld")}`);
  const computed = { ...(await withheldOf(context)), rowsErased };
  await step(context, "computed");
  return computed;
}

/** Makes `_computed`, without the rows of keys that are kept out; how many those are. */
async function openComputed({ engine, logger }: RunContext, { erased }: ComputeInput, path: string): Promise<number> {
  const rows = `read_parquet(${literal(path)})`;
  if (erased.keptOut === 0) {
    await engine.exec(`CREATE VIEW _computed AS SELECT * FROM ${rows}`);
    return 0;
  }
  await engine.exec(`CREATE VIEW _computed AS SELECT * EXCLUDE (_erased) FROM ${rows} WHERE NOT _erased`);
  const count = await countRows(engine, `${rows} WHERE _erased`);
  if (count > 0) logger.info({ rows: count }, "rows of erased keys are kept out");
  return count;
}

async function defineFilter({ engine }: RunContext, view: BatchView): Promise<void> {
  const filter = whereFunction(view);
  if (filter === undefined) return;
  engine.register(engineFunction(filter));
  await engine.exec(functionMacro(filter));
}

async function openSources(context: RunContext, { catalog, view }: ComputeInput): Promise<void> {
  for (const [i, name] of view.sources.entries()) {
    context.report({ progress: { step: `refining ${name}`, done: i, total: view.sources.length } });
    const refined = await refineSource(context, tableSource(catalog, view, name));
    if (refined.quarantined > 0 && !refined.wasUnchanged)
      context.logger.warn({ source: name, rows: refined.quarantined }, "rows were set aside in quarantine");
    const rows = `SELECT * FROM read_parquet(${literal(refined.path)})`;
    await context.engine.exec(`CREATE VIEW ${identifier(name)} AS ${rows}`);
  }
}

function tableSource(catalog: Catalog, view: BatchView, name: string): TableSource {
  const source = catalog.sources[name];
  if (source === undefined) throw invalid(view, `its source "${name}" is not in the catalog`);
  if (source.kind !== "table")
    throw invalid(view, `its source "${name}" is a stream of events; a batch view reads table sources`);
  return source;
}

async function withheldOf({ engine, logger }: RunContext): Promise<Omit<Computed, "rowsErased">> {
  const partitionsWithheld = new Set<number>();
  for await (const { columns } of engine.stream("SELECT DISTINCT _partition FROM _withheld")) {
    for (const partition of columns[0] ?? []) partitionsWithheld.add(Number(partition));
  }
  let rowsWithheld = 0;
  const reasons = `SELECT reason, sum(rows)::DOUBLE FROM (SELECT _problem AS reason, _rows AS rows FROM _withheld
    UNION ALL SELECT _problem, 1 FROM _computed WHERE _key IS NULL) GROUP BY reason ORDER BY reason`;
  for await (const { rows, columns } of engine.stream(reasons)) {
    for (let i = 0; i < rows; i++) {
      rowsWithheld += Number(columns[1]?.[i]);
      logger.warn({ reason: columns[0]?.[i], rows: columns[1]?.[i] }, "rows are withheld");
    }
  }
  return { rowsWithheld, partitionsWithheld };
}

/** The engine's errors while it runs the view's own SQL, as what its author has to mend. */
async function runsSql(view: BatchView, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind === "interrupted") throw error;
    if (error.kind === "memory") {
      const why = `the SQL of view "${view.name}" needs more memory than the runner may use: ${error.message}`;
      throw new TributaryError("LIMIT_EXCEEDED", why, { cause: error });
    }
    if (error.kind === "file") throw new TributaryError("BAD_SOURCE", `view "${view.name}": ${error.message}`);
    throw invalid(view, `its SQL fails: ${error.message}`, error);
  }
}

function invalid(view: BatchView, why: string, cause?: unknown): TributaryError {
  return new TributaryError("INVALID_DEFINITION", `view "${view.name}": ${why}`, { cause });
}
