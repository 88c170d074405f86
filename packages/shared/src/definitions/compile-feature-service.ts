import type { FeatureService, KeyType } from "../contracts/catalog.ts";
import type { AggregationDefinition } from "./aggregation.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { Problems } from "./problems.ts";
import type { UseState, ViewDefinition } from "./view-definition.ts";

/** A feature service as catalog data: request keys in order of first use, columns in order of the uses. */
export function compileFeatureService(service: FeatureServiceDefinition, problems: Problems): FeatureService {
  const where = `featureService "${service.name}"`;
  const requestKeys = new Map<string, KeyType>();
  const columns = service.uses.flatMap(({ use }) => compileUse(use, requestKeys, (why) => problems.add(where, why)));
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) problems.add(where, `has two features named "${name}"; use .prefix`);
    names.add(name);
  }
  return { name: service.name, requestKeys: [...requestKeys].map(([name, type]) => ({ name, type })), columns };
}

function compileUse(
  use: UseState,
  requestKeys: Map<string, KeyType>,
  problem: (why: string) => void,
): FeatureService["columns"] {
  const view = use.view();
  const keys = Object.fromEntries(Object.keys(view.entity.key).map((key) => [key, use.keys?.[key] ?? key]));
  for (const [key, request] of Object.entries(keys)) {
    const keyType = view.entity.key[key]?.type as KeyType;
    const other = requestKeys.get(request);
    if (other !== undefined && other !== keyType) problem(`uses key "${request}" both as ${other} and as ${keyType}`);
    requestKeys.set(request, keyType);
  }
  const all = featureNames(view);
  for (const feature of use.features ?? [])
    if (!all.includes(feature)) problem(`picks "${feature}", which view "${view.name}" does not have`);
  return (use.features ?? all).map((feature) => ({ name: `${use.prefix}${feature}`, view: view.name, feature, keys }));
}

function featureNames(view: ViewDefinition): string[] {
  const { options } = view;
  if (!("windows" in options)) return Object.keys(options.features);
  const aggregations: Readonly<Record<string, AggregationDefinition>> = options.features;
  return Object.keys(aggregations).flatMap((name) => options.windows.map((window) => `${name}_${window}`));
}
