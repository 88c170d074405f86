import type { Definition } from "./definition.ts";
import { brokenShape } from "./definition-shape.ts";
import type { EntityDefinition } from "./entity.ts";
import type { FeatureServiceDefinition } from "./feature-service.ts";
import { nameProblem } from "./names.ts";
import type { OnDemandDefinition } from "./on-demand.ts";
import { type Problems, whereIs } from "./problems.ts";
import type { EventSourceDefinition, TableSourceDefinition } from "./source.ts";
import type { ViewDefinition } from "./view-definition.ts";

/** Every definition once, in the order in which it was met; each stands behind what it names. */
export interface Collected {
  readonly entities: readonly EntityDefinition[];
  readonly sources: readonly (EventSourceDefinition | TableSourceDefinition)[];
  readonly views: readonly ViewDefinition[];
  readonly onDemand: readonly OnDemandDefinition[];
  readonly services: readonly FeatureServiceDefinition[];
}

/** How deep lists and plain objects of definitions may nest. */
const depthMax = 3;

/** Whether anything is a definition, or a list or plain object of them. */
export function holdsDefinition(exported: Iterable<unknown>): boolean {
  return [...exported].some((value) => definitionsIn(value).length > 0);
}

/**
 * The definitions among what a module exports, also in lists and plain objects, and what they name. What is broken is
 * told, and left out together with what stands on it.
 */
export function collect(exported: Iterable<unknown>, problems: Problems): Collected {
  const sound = new Map<Definition, boolean>();
  const named = new Map<string, Definition>();
  const take = (definition: Definition): boolean => {
    const known = sound.get(definition);
    if (known !== undefined) return known;
    const broken = brokenShape(definition);
    if (broken !== undefined) problems.add(definition, broken);
    const isSound = broken === undefined && partsOf(definition).map(take).every(Boolean);
    sound.set(definition, isSound);
    claimName(definition, named, problems);
    return isSound;
  };
  for (const value of exported) for (const definition of definitionsIn(value)) take(definition);
  return byKind([...sound].flatMap(([definition, isSound]) => (isSound ? [definition] : [])));
}

function byKind(all: readonly Definition[]): Collected {
  return {
    entities: all.filter((one) => one.kind === "entity"),
    sources: all.filter((one) => one.kind === "eventSource" || one.kind === "tableSource"),
    views: all.filter((one) => one.kind === "view"),
    onDemand: all.filter((one) => one.kind === "onDemandFeature"),
    services: all.filter((one) => one.kind === "featureService"),
  };
}

function sourcesOf({ options }: ViewDefinition): readonly (EventSourceDefinition | TableSourceDefinition)[] {
  if (!("from" in options)) return [];
  const from: EventSourceDefinition | readonly TableSourceDefinition[] = options.from;
  const history = "history" in options && options.history !== undefined ? [options.history] : [];
  return "kind" in from ? [from, ...history] : from;
}

function partsOf(definition: Definition): readonly Definition[] {
  switch (definition.kind) {
    case "view":
      return [definition.entity, ...sourcesOf(definition)];
    case "featureService":
      return definition.uses.flatMap((use): readonly Definition[] =>
        "use" in use ? [use.use.view(), ...use.use.over] : [use.onDemand.definition()],
      );
    default:
      return [];
  }
}

/** One name belongs to one definition of a kind; both kinds of source share theirs. */
function claimName(definition: Definition, named: Map<string, Definition>, problems: Problems): void {
  if (typeof definition.name !== "string") return;
  const why = nameProblem(definition.name);
  if (why !== undefined) problems.add(definition, `has a name that ${why}`);
  const kind = definition.kind.replace(/^(event|table)Source$/, "source");
  const id = `${kind} ${definition.name.toLowerCase()}`;
  const other = named.get(id);
  if (other === undefined) named.set(id, definition);
  else if (other.name === definition.name) problems.add(definition, `is defined twice${also(other)}; rename one`);
  else
    problems.add(
      definition,
      `and "${other.name}"${also(other)} differ in case alone, which SQL and some file systems do not tell apart; rename one`,
    );
}

function also(other: object): string {
  const where = whereIs(other);
  return where === undefined ? "" : `, first at ${where}`;
}

function definitionsIn(value: unknown, depth = 0): readonly Definition[] {
  if (isDefinition(value)) return [value];
  if (depth >= depthMax || !isGroup(value)) return [];
  return Object.values(value).flatMap((member) => definitionsIn(member, depth + 1));
}

/** A list, a plain object or a module; what carries definitions for its own use (a use of a view) is none. */
function isGroup(value: unknown): value is object {
  if (typeof value !== "object" || value === null || "use" in value || "kind" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

const kinds = ["entity", "eventSource", "tableSource", "view", "onDemandFeature", "featureService"];

/** By its kind, which is text: definitions of another copy of this package are definitions too. */
function isDefinition(value: unknown): value is Definition {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    kinds.includes(String(value.kind)) &&
    "name" in value
  );
}
