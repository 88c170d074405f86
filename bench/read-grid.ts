import { entity } from "@tributary/shared/definitions/entity";
import { type AnyUse, featureService } from "@tributary/shared/definitions/feature-service";
import { int64 } from "@tributary/shared/definitions/feature-type";
import { directView } from "@tributary/shared/definitions/view";
import { type BenchRecord, catalogOf, type Dataset, type ReadCase, writeOf } from "./read-dataset.ts";
import { seededRandom } from "./seeded-random.ts";

/**
 * One entity, views of ten int64 features each, random values below 10⁹; reads of some entities, uniformly drawn, with the
 * features of the first views.
 */
export interface GridOptions {
  readonly entities: number;
  readonly views: number;
}

export const featureNames = Array.from({ length: 10 }, (_, i) => `feature_${i}`);
const valueMax = 1_000_000_000;

/** The grid's parts by name, for whoever builds the same of another system. */
export const gridServices = [5, 25].map((views) => ({ name: `grid_${views * featureNames.length}`, views }));

export function viewNames(views: number): readonly string[] {
  return Array.from({ length: views }, (_, i) => `view_${i}`);
}

export function grid({ entities, views }: GridOptions): Dataset {
  const thing = entity("thing", { key: { id: int64() } });
  const features = Object.fromEntries(featureNames.map((name) => [name, int64()]));
  const all = viewNames(views).map((name) =>
    directView(name, { entity: thing, producers: ["bench"], freshness: "1d", features }),
  );
  const services = gridServices.map(({ name, views: count }) => {
    const uses: AnyUse[] = all.slice(0, count).map((view) => view.prefix(`${view.name}_`));
    return featureService(name, uses);
  });
  return {
    name: "grid",
    catalog: catalogOf(services),
    records: () => gridRecords(entities, views),
    cases: [50, 250].flatMap((count) => [1, 10, 50, 100].map((rows) => gridCase(entities, rows, count))),
  };
}

function* gridRecords(entities: number, views: number): Generator<BenchRecord> {
  const random = seededRandom(1);
  const now = Date.now();
  for (let id = 0; id < entities; id++) {
    const writes = viewNames(views).map((view) => writeOf(view, gridValues(random), now));
    yield { entity: "thing", key: String(id), writes };
  }
}

function gridValues(random: () => number): Record<string, number> {
  return Object.fromEntries(featureNames.map((name) => [name, Math.floor(random() * valueMax)]));
}

function gridCase(entities: number, rows: number, features: number): ReadCase {
  return {
    name: `${rows}x${features}`,
    service: `grid_${features}`,
    features,
    rows: (random) => Array.from({ length: rows }, () => ({ id: Math.floor(random() * entities) })),
    workers: [1, 8, 32],
    perSecond: gridRates(rows * features),
  };
}

/**
 * Rates that a small machine can hold, so that the open loop tells latency and not a queue. The smallest read is also asked for
 * as often as a busy application asks.
 */
function gridRates(cells: number): readonly number[] {
  if (cells <= 50) return [200, 1_000];
  return [cells <= 500 ? 200 : cells <= 5_000 ? 50 : 10];
}
