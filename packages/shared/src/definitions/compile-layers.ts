import type { FeatureService, View } from "../contracts/catalog.ts";
import type { Feature } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import type { UsedFeature } from "./used-features.ts";
import type { UseState, ViewDefinition } from "./view-definition.ts";

export type Layers = NonNullable<FeatureService["columns"][number]["over"]>;

/** Views as catalog data, by name. */
export type Views = Readonly<Record<string, View>>;

/**
 * The layers over each used feature of a view, uppermost first: of every direct view above it, the feature of the same
 * name. Features without any are not in the map.
 */
export function compileLayers(
  { view: viewOf, over }: UseState,
  { views, used, problem }: { views: Views; used: readonly UsedFeature[]; problem: (why: string) => void },
): ReadonlyMap<string, Layers> {
  const lower = viewOf();
  if (over.length > limits.layersMax)
    problem(`puts ${over.length} views over "${lower.name}"; at most ${limits.layersMax} are allowed`);
  const names = [lower, ...over].map((view) => view.name);
  for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i)))
    problem(`has view "${name}" twice among the layers of "${lower.name}"`);
  const fit = over.filter((upper) => fits(lower, upper, problem));
  const layers = new Map<string, Layers>();
  for (const upper of fit) {
    const shared = used.filter(({ feature }) => featureOf(views, upper, feature) !== undefined);
    if (shared.length === 0)
      problem(`puts "${upper.name}" over "${lower.name}", but it has none of the features used, by name`);
    for (const { feature } of shared) {
      checkTypes(featureOf(views, lower, feature), featureOf(views, upper, feature), (why) =>
        problem(`puts "${upper.name}" over "${lower.name}", ${why}`),
      );
      layers.set(feature, [...(layers.get(feature) ?? []), { view: upper.name, feature }]);
    }
  }
  return layers;
}

function fits(lower: ViewDefinition, upper: ViewDefinition, problem: (why: string) => void): boolean {
  const what = `puts "${upper.name}" over "${lower.name}"`;
  if (upper.lane !== "direct") problem(`${what}, but only a direct view can be a layer and it is a ${upper.lane} view`);
  else if (upper.entity.name !== lower.entity.name)
    problem(`${what}, but their entities differ ("${upper.entity.name}" and "${lower.entity.name}")`);
  else return true;
  return false;
}

function featureOf(views: Views, { name }: ViewDefinition, feature: string): Feature | undefined {
  const view = Object.hasOwn(views, name) ? views[name] : undefined;
  return view?.features.find((candidate) => candidate.name === feature);
}

function checkTypes(lower: Feature | undefined, upper: Feature | undefined, problem: (why: string) => void): void {
  if (lower === undefined || upper === undefined) return;
  const [below, above] = [typeText(lower), typeText(upper)];
  if (below !== above) problem(`but "${upper.name}" is ${above} there and ${below} here`);
}

function typeText({ type, of, dimension }: Feature): string {
  const inner = of ?? dimension;
  return inner === undefined ? type : `${type}<${inner}>`;
}
