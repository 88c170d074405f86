import { compileDefinitions } from "@tributary/shared/definitions/compile";
import type { FeatureServiceDefinition } from "@tributary/shared/definitions/feature-service";
import { converterOf, keepsWireValue } from "./output-value.ts";
import type { Converters } from "./read-rows.ts";

const known = new WeakMap<FeatureServiceDefinition, Converters>();

/** How each column of a feature service becomes JavaScript, where it is not so already; worked out once a definition. */
export function convertersOf(service: FeatureServiceDefinition): Converters {
  const held = known.get(service);
  if (held) return held;
  const { featureServices, views, onDemandFeatures } = compileDefinitions([service], { needsFiles: false });
  const { columns = [], onDemand = [] } = featureServices[service.name] ?? {};
  const converters = columns.flatMap(({ name, view, feature: featureName }) => {
    const feature = views[view]?.features.find((candidate) => candidate.name === featureName);
    return feature === undefined || keepsWireValue(feature) ? [] : [[name, converterOf(feature)] as const];
  });
  const computed = onDemand.flatMap(({ name, feature: featureName }) => {
    const feature = onDemandFeatures?.[featureName];
    return feature === undefined || keepsWireValue(feature) ? [] : [[name, converterOf(feature)] as const];
  });
  const made = new Map([...converters, ...computed]);
  known.set(service, made);
  return made;
}
