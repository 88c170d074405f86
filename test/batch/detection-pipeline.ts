import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import type { Feature } from "@tributary/shared/contracts/feature";
import { cellReader, plainColumn } from "../../services/batch-runner/src/core/cell-value.ts";
import {
  type ComparedFeature,
  emptySnapshotQuery,
  nextSnapshotQuery,
  type RowChange,
  runColumn,
  timeColumn,
} from "../../services/batch-runner/src/core/change-detection.ts";
import type { OracleRow } from "../../services/batch-runner/src/core/change-detection-oracle.ts";
import { storedType } from "../../services/batch-runner/src/core/column-type.ts";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import { identifier } from "../../services/batch-runner/src/core/sql-text.ts";
import { goodRowsQuery, typedRowsQuery, withheldQuery } from "../../services/batch-runner/src/core/typed-rows.ts";

/** The SQL of a run without lake, ledger and broker: rounds of rows in, snapshots out. */
export interface DetectionPipeline {
  /** Rows of `sql` as run `run`; the published snapshot is that of the round before. */
  round(sql: string, run: number, intervalEndMs: number): Promise<DetectedRound>;
}

export interface DetectedRound {
  readonly snapshot: ReadonlyMap<string, OracleRow>;
  readonly changes: ReadonlyMap<string, RowChange>;
  readonly withheld: ReadonlySet<string>;
}

export const entity = { name: "thing", keys: [{ name: "id", type: "string" as const }] };

export async function startPipeline(engine: Engine, features: readonly Feature[]): Promise<DetectionPipeline> {
  const compared: ComparedFeature[] = features.map((feature) => ({
    name: feature.name,
    stored: storedType(feature, feature.name),
    tolerance: feature.tolerance,
    comparable: true,
  }));
  await engine.exec(`CREATE OR REPLACE TABLE _published AS ${emptySnapshotQuery(compared)}`);
  return {
    round: async (sql, run, intervalEndMs) => {
      const typed = { view: "v", entity, features, partitions: 8 };
      const query = typedRowsQuery(typed, sql, await engine.describe(`SELECT * FROM (${sql})`));
      await engine.exec(`CREATE OR REPLACE TABLE _computed AS ${query}`);
      await engine.exec(`CREATE OR REPLACE TABLE _withheld AS ${withheldQuery("_computed")}`);
      await engine.exec(`CREATE OR REPLACE TABLE _current AS ${goodRowsQuery("_computed", "_withheld")}`);
      const next = nextSnapshotQuery({ features: compared, run, intervalEndMs });
      await engine.exec(`CREATE OR REPLACE TABLE _next AS ${next}`);
      await engine.exec("CREATE OR REPLACE TABLE _published AS SELECT * EXCLUDE (_change) FROM _next");
      return { ...(await readNext(engine, features)), withheld: await readWithheld(engine) };
    },
  };
}

async function readNext(engine: Engine, features: readonly Feature[]): Promise<Omit<DetectedRound, "withheld">> {
  const columns = features.flatMap((feature) => [
    plainColumn(feature, identifier(feature.name)),
    `${timeColumn(feature.name)}::DOUBLE`,
    `${runColumn(feature.name)}::DOUBLE`,
  ]);
  const readers = features.map(cellReader);
  const snapshot = new Map<string, OracleRow>();
  const changes = new Map<string, RowChange>();
  for await (const batch of engine.stream(`SELECT _key, _gone, _change, ${columns.join(", ")} FROM _next`)) {
    for (let row = 0; row < batch.rows; row++) {
      const at = (column: number) => batch.columns[column]?.[row];
      const cells = features.map((feature, i) => {
        const value = readers[i]?.(at(3 + 3 * i)) as FeatureValue;
        return [feature.name, { value, time: Number(at(4 + 3 * i)), run: Number(at(5 + 3 * i)) }] as const;
      });
      snapshot.set(String(at(0)), { gone: at(1) === true, cells: Object.fromEntries(cells) });
      changes.set(String(at(0)), at(2) as RowChange);
    }
  }
  return { snapshot, changes };
}

async function readWithheld(engine: Engine): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const batch of engine.stream("SELECT _key FROM _withheld"))
    for (const key of batch.columns[0] ?? []) keys.add(String(key));
  return keys;
}
