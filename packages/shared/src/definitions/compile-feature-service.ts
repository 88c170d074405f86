import type { FeatureService } from "../contracts/catalog.ts";
import type { Feature, KeyType } from "../contracts/feature.ts";
import { compileLayers, type Views } from "./compile-layers.ts";
import { compileOnDemandUses } from "./compile-on-demand-uses.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import { checkLabels, labelsOf } from "./labels.ts";
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
  checkLabels(service, problem);
  const requestKeys = new Map<string, KeyType>();
  const stored = service.uses.flatMap((one) => ("use" in one ? [one.use] : []));
  const columns = stored.flatMap((use) => {
    const keys = compileKeys(use, requestKeys, problem);
    return compileColumns(use, views, problem).map((column) => ({ ...column, keys }));
  });
  if (stored.length === 0) problem("has no feature that is stored; list a view, whose keys it is read by");
  const computed = service.uses.flatMap((one) => ("onDemand" in one ? [one.onDemand] : []));
  checkNames([...columns, ...computed], problem);
  const types = new Map(columns.map(({ name, view, feature }) => [name, typeOf(views, view, feature)]));
  const { onDemand, requestFields } = compileOnDemandUses(computed, { requestKeys, columns: types }, problem);
  return {
    name: service.name,
    requestKeys: [...requestKeys].map(([name, type]) => ({ name, type })),
    columns,
    ...(onDemand.length > 0 && { onDemand: [...onDemand] }),
    ...(requestFields.length > 0 && { requestFields: [...requestFields] }),
    ...labelsOf(service),
  };
}

function checkNames(columns: readonly { readonly name: string }[], problem: (why: string) => void): void {
  const names = new Set<string>();
  for (const { name } of columns) {
    if (names.has(name))
      problem(`has two features named "${name}"; use .prefix or .rename, of an on-demand feature .as`);
    names.add(name);
  }
}

function typeOf(views: Views, view: string, feature: string): Pick<Feature, "type" | "of"> {
  return views[view]?.features.find(({ name }) => name === feature) ?? { type: "json" };
}

function compileKeys(
  use: UseState,
  requestKeys: Map<string, KeyType>,
  problem: (why: string) => void,
): Record<string, string> {
  const { name: view, entity } = use.view();
  for (const key of Object.keys(use.keys ?? {}))
    if (!Object.hasOwn(entity.key, key))
      problem(
        `says .on for "${key}" of view "${view}", whose keys are ${Object.keys(entity.key).join(", ")}; remove it`,
      );
  const keys = Object.fromEntries(Object.keys(entity.key).map((key) => [key, use.keys?.[key] ?? key]));
  for (const [key, request] of Object.entries(keys)) {
    const keyType = entity.key[key]?.type as KeyType;
    const other = requestKeys.get(request);
    if (other !== undefined && other !== keyType)
      problem(`uses key "${request}" both as ${other} and as ${keyType}; give one another name with .on`);
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
