import type { Definition } from "./definition.ts";

/**
 * What makes a definition unusable: what TypeScript refuses, but JavaScript gives, and what a circular import leaves
 * undefined. Undefined when it can be compiled.
 */
export function brokenShape(definition: Definition): string | undefined {
  if (typeof definition.name !== "string") return "has no name; give it one as the first argument";
  switch (definition.kind) {
    case "entity":
      return noneOf(definition.key, "type", "has no keys; declare one: key: { id: string() }");
    case "eventSource":
    case "tableSource":
      return noneOf(definition.fields, "type", "has no fields; declare them: fields: { at: timestamp() }");
    case "onDemandFeature":
      return isKind(definition.type, "type") ? undefined : "has no type; declare what it gives: type: float64()";
    case "featureService":
      return Array.isArray(definition.uses) && definition.uses.every(isUse)
        ? undefined
        : `must list views and on-demand features, or uses of them: featureService("name", [view.on({ … })])${circular}`;
    case "view":
      return brokenView(definition);
    default:
      return definition satisfies never;
  }
}

const circular = "; what is undefined there may come from files that import each other";

function brokenView({ lane, entity, options }: Definition & { readonly kind: "view" }): string | undefined {
  if (!isKind(entity, "entity")) return `has no entity; give it one made by entity(…)${circular}`;
  const { features, from, history }: { features: unknown; from?: unknown; history?: unknown } = options;
  const isWindowed = lane === "stream" || lane === "open";
  if (isWindowed && !isKind(from, "eventSource")) return `has no event source; name one: from: departures${circular}`;
  if (lane === "open" && history !== undefined && !isKind(history, "tableSource"))
    return `has a history that is no table source; name one: history: pastDepartures${circular}`;
  if (lane === "batch" && !(Array.isArray(from) && from.length > 0 && from.every((one) => isKind(one, "tableSource"))))
    return `has no sources; list the table sources that its SQL reads: from: [flights]${circular}`;
  return isWindowed
    ? noneOf(features, "aggregation", "has no features; declare at least one: features: { events: count() }")
    : noneOf(features, "type", "has no features; declare at least one: features: { score: float64() }");
}

/** `why`, unless there is at least one member and all are of the kind; else the member that is not. */
function noneOf(members: unknown, kind: string, why: string): string | undefined {
  if (typeof members !== "object" || members === null || Object.keys(members).length === 0) return why;
  const odd = Object.entries(members).find(([, member]) => !isKind(member, kind));
  return (
    odd &&
    `has "${odd[0]}", which is no ${kind === "type" ? "type such as float64()" : "aggregation such as count()"}${circular}`
  );
}

function isKind(value: unknown, kind: string): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

function isUse(value: unknown): boolean {
  return typeof value === "object" && value !== null && ("use" in value || "onDemand" in value);
}
