import type { NamingStep } from "./view-definition.ts";

/** A feature of a view and what it is called in a feature service. */
export interface UsedFeature {
  readonly feature: string;
  readonly name: string;
}

/** The features that are left of a view's, in order, after the naming steps; problems are told, not thrown. */
export function usedFeatures(
  all: readonly string[],
  steps: readonly NamingStep[],
  problem: (why: string) => void,
): readonly UsedFeature[] {
  const start: readonly UsedFeature[] = all.map((feature) => ({ feature, name: feature }));
  return steps.reduce((used, step) => applyStep(used, step, problem), start);
}

function applyStep(used: readonly UsedFeature[], step: NamingStep, problem: (why: string) => void) {
  const find = (name: string, verb: string): UsedFeature[] => {
    const found = used.find((one) => one.name === name);
    if (found === undefined) problem(`${verb} "${name}"`);
    return found ? [found] : [];
  };
  switch (step.kind) {
    case "pick":
      return step.names.flatMap((name) => find(name, "picks"));
    case "prefix":
      return used.map(({ feature, name }) => ({ feature, name: `${step.prefix}${name}` }));
    case "rename": {
      const names = new Map(Object.entries(step.names));
      for (const name of names.keys()) find(name, "renames");
      return used.map(({ feature, name }) => ({ feature, name: names.get(name) ?? name }));
    }
    default:
      return step satisfies never;
  }
}
