import type { RequestRow } from "@tributary/client/tributary";
import type { FeatureValue } from "@tributary/shared/contracts/chunk";
import { keySeparator } from "@tributary/shared/contracts/entity-key";
import { entity } from "@tributary/shared/definitions/entity";
import { type AnyUse, featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, vector } from "@tributary/shared/definitions/feature-type";
import { directView } from "@tributary/shared/definitions/view";
import { type BenchRecord, catalogOf, type Dataset, writeOf } from "./read-dataset.ts";
import { seededRandom, zipf } from "./seeded-random.ts";

/**
 * What a ranker asks: one user, many candidates, features of the user, of each item, and of the user's segment with the item
 * (a composite key). Popular items are asked for much more often than others, some are not stored, some cells are null, and one
 * feature is a vector.
 */
export interface FanoutOptions {
  readonly items: number;
  readonly candidates: number;
}

const users = 1_000;
const segments = ["new", "weekly", "daily", "lapsed"];
const missedShare = 0.05;
const nullShare = 0.1;
const dimension = 64;

const user = entity("user", { key: { user: int64() } });
const item = entity("item", { key: { item: int64() } });
const affinity = entity("affinity", { key: { segment: string(), item: int64() } });

const numbers = <T>(prefix: string, count: number, type: () => T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}_${i}`, type()]));
const nullable = () => float64({ nullable: true });
const view = { producers: ["bench"], freshness: "1d" } as const;
const userView = directView("user_now", { ...view, entity: user, features: numbers("user", 10, nullable) });
const itemView = directView("item_profile", {
  ...view,
  entity: item,
  features: { ...numbers("item", 19, nullable), embedding: vector(dimension) },
});
const affinityView = directView("affinity_now", {
  ...view,
  entity: affinity,
  features: numbers("affinity", 10, nullable),
});
const uses: AnyUse[] = [userView, itemView, affinityView];
const ranking = featureService("ranking", uses);

export function fanout({ items, candidates }: FanoutOptions): Dataset {
  const features = 40;
  const rows = candidateRows(items, candidates);
  const one = { name: "fanout", service: "ranking", features, rows, workers: [1], perSecond: [10] };
  return {
    name: "fanout",
    catalog: catalogOf([ranking]),
    records: () => fanoutRecords(items),
    cases: [one],
  };
}

/** Candidates are distinct, as a candidate list is. Those that are not stored have ids beyond the stored ones. */
function candidateRows(items: number, candidates: number) {
  return (random: () => number): RequestRow[] => {
    const draw = zipf(items, random);
    const chosen = new Set<number>();
    while (chosen.size < Math.min(candidates, items)) {
      const drawn = draw();
      chosen.add(random() < missedShare ? drawn + items : drawn);
    }
    const asked = { user: Math.floor(random() * users), segment: segments[Math.floor(random() * segments.length)] };
    return [...chosen].map((id) => ({ ...asked, item: id }));
  };
}

function* fanoutRecords(items: number): Generator<BenchRecord> {
  const random = seededRandom(2);
  const now = Date.now();
  const value = (): FeatureValue => (random() < nullShare ? null : random() * 1_000);
  const record = (name: string, key: string, values: Readonly<Record<string, FeatureValue>>): BenchRecord => ({
    entity: name,
    key,
    writes: [writeOf(viewOf[name] ?? "", values, now)],
  });
  for (let id = 0; id < users; id++) yield record("user", String(id), numbers("user", 10, value));
  for (let id = 0; id < items; id++) {
    yield record("item", String(id), { ...numbers("item", 19, value), embedding: embeddingOf(random) });
    for (const segment of segments) {
      yield record("affinity", `${segment}${keySeparator}${id}`, numbers("affinity", 10, value));
    }
  }
}

const viewOf: Readonly<Record<string, string>> = {
  user: userView.name,
  item: itemView.name,
  affinity: affinityView.name,
};

function embeddingOf(random: () => number): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: dimension }, random).buffer);
}
