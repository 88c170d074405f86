import type { FeatureService, RequestField } from "../contracts/catalog.ts";
import type { Feature, FeatureType, KeyType } from "../contracts/feature.ts";
import { dependencyOrder } from "./dependency-order.ts";
import type { TypeDefinition } from "./feature-type.ts";
import type { OnDemandState } from "./on-demand.ts";

type OnDemandColumn = NonNullable<FeatureService["onDemand"]>[number];
type Source = OnDemandColumn["inputs"][string];
type Shape = Pick<Feature, "type" | "of">;

/** What the views of a feature service give it. */
export interface StoredPart {
  readonly requestKeys: ReadonlyMap<string, KeyType>;
  readonly columns: ReadonlyMap<string, Shape>;
}

/** What every input is held against. */
interface Surroundings extends StoredPart {
  /** Grows with every input that is no column. */
  readonly requestFields: Map<string, RequestField>;
  readonly problem: (why: string) => void;
}

interface Input {
  readonly name: string;
  readonly definition: TypeDefinition<unknown, null>;
  /** For people. */
  readonly label: string;
}

/** On-demand columns, each behind those that it needs, and the fields that a read has to bring for them. */
export function compileOnDemandUses(
  uses: readonly OnDemandState[],
  stored: StoredPart,
  problem: (why: string) => void,
): { readonly onDemand: readonly OnDemandColumn[]; readonly requestFields: readonly RequestField[] } {
  const columns = new Map([
    ...uses.map(({ name, definition }) => [name, shapeOf(definition().type)] as const),
    ...stored.columns,
  ]);
  const surroundings: Surroundings = { requestKeys: stored.requestKeys, columns, requestFields: new Map(), problem };
  const made = uses.map((use) => compileUse(use, surroundings));
  return { onDemand: inOrder(made, problem), requestFields: [...surroundings.requestFields.values()] };
}

function compileUse(use: OnDemandState, surroundings: Surroundings): OnDemandColumn {
  const { name: feature, inputs } = use.definition();
  for (const name of Object.keys(use.columns))
    if (!Object.hasOwn(inputs, name))
      surroundings.problem(
        `maps input "${name}" of "${feature}", which has ${Object.keys(inputs).join(", ")}; correct the name in .from`,
      );
  const sources = Object.entries(inputs).map(([name, definition]) => {
    const column = Object.hasOwn(use.columns, name) ? use.columns[name] : undefined;
    const input = { name, definition, label: `input "${name}" of "${use.name}"` };
    return [name, column === undefined ? fromRequest(input, surroundings) : fromColumn(input, column, surroundings)];
  });
  return { name: use.name, feature, inputs: Object.fromEntries(sources) };
}

function fromColumn({ definition, label }: Input, name: string, { columns, problem }: Surroundings): Source {
  const column = columns.get(name);
  const [wanted, found] = [typeText(shapeOf(definition)), column && typeText(column)];
  if (found === undefined) problem(`has no feature "${name}" for ${label}; name one that it has in .from`);
  else if (found !== wanted) problem(`has "${name}" as ${found}, but ${label} is ${wanted}; declare it as ${found}`);
  return { from: "column", name };
}

function fromRequest({ name, definition, label }: Input, surroundings: Surroundings): Source {
  const { requestKeys, columns, requestFields, problem } = surroundings;
  const { type, options } = definition;
  const isNullable = options.nullable ?? false;
  const field: RequestField = { name, type, ...(options.as && { as: options.as }), nullable: isNullable };
  const known = requestFields.get(name);
  if (columns.has(name))
    problem(
      `asks its reads for ${label}, but has a feature of that name; write .from({ ${name}: "${name}" }) to take it`,
    );
  else if (requestKeys.has(name))
    problem(
      `asks its reads for ${label}, but "${name}" is a request key already; rename the input or map the key by .on`,
    );
  else if (!requestTypes.includes(type))
    problem(
      `asks its reads for ${label}, which is ${type}; a read can bring ${requestTypes.join(", ")}, else use .from`,
    );
  else if (known && (known.type !== type || known.as !== field.as))
    problem(`asks its reads for "${name}" both as ${known.type} and as ${type}; rename one of the inputs`);
  requestFields.set(name, { ...field, nullable: isNullable && (known?.nullable ?? true) });
  return { from: "request", name };
}

/** What has a form among the keys of a read. */
const requestTypes: readonly FeatureType[] = [
  ...(["bool", "int32", "int64", "float32", "float64", "string", "timestamp", "date"] as const),
];

function inOrder(columns: readonly OnDemandColumn[], problem: (why: string) => void): readonly OnDemandColumn[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const found = dependencyOrder(new Map(columns.map((column) => [column.name, neededBy(column)])));
  if ("order" in found) return found.order.flatMap((name) => byName.get(name) ?? []);
  problem(`has on-demand features in a circle: ${found.circle.join(" → ")}; take one of them out of a .from`);
  return columns;
}

function neededBy({ inputs }: OnDemandColumn): string[] {
  return Object.values(inputs).flatMap(({ from, name }) => (from === "column" ? [name] : []));
}

function shapeOf({ type, options: { of } }: TypeDefinition<unknown, null>): Shape {
  return of === undefined ? { type } : { type, of };
}

function typeText({ type, of }: Shape): string {
  return of === undefined ? type : `${type}<${of}>`;
}
