import type { FeatureService } from "../contracts/catalog.ts";
import type { KeyType } from "../contracts/feature.ts";
import { compileLayers, type Views } from "./compile-layers.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import type { Problems } from "./problems.ts";
import { usedFeatures } from "./used-features.ts";
import type { UseState } from "./view-definition.ts";

/** A feature service as catalog data: request keys in order of first use, columns in order of the uses. */
export function compileFeatureService(
  service: FeatureServiceDefinition,
  views: Views,
  problems: Problems,
): FeatureService {
  const problem = (why: string) => problems.add(service, why);
  const requestKeys = new Map<string, KeyType>();
  const columns = service.uses.flatMap(({ use }) => {
    const keys = compileKeys(use, requestKeys, problem);
    return compileColumns(use, views, problem).map((column) => ({ ...column, keys }));
  });
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name)) problem(`has two features named "${name}"; use .prefix or .rename`);
    names.add(name);
  }
  return { name: service.name, requestKeys: [...requestKeys].map(([name, type]) => ({ name, type })), columns };
}

function compileKeys(
  use: UseState,
  requestKeys: Map<string, KeyType>,
  problem: (why: string) => void,
): Record<string, string> {
  const { entity } = use.view();
  const keys = Object.fromEntries(Object.keys(entity.key).map((key) => [key, use.keys?.[key] ?? key]));
  for (const [key, request] of Object.entries(keys)) {
    const keyType = entity.key[key]?.type as KeyType;
    const other = requestKeys.get(request);
    if (other !== undefined && other !== keyType) problem(`uses key "${request}" both as ${other} and as ${keyType}`);
    requestKeys.set(request, keyType);
  }
  return keys;
}

function compileColumns(use: UseState, views: Views, problem: (why: string) => void) {
  const { name: view } = use.view();
  const all = views[view]?.features.map((feature) => feature.name) ?? [];
  const used = usedFeatures(all, use.naming, (why) => problem(`${why}, which view "${view}" does not have`));
  const layers = compileLayers(use, { views, used, problem });
  return used.map(({ feature, name }) => {
    const over = layers.get(feature);
    return { name, view, feature, ...(over && { over }) };
  });
}
