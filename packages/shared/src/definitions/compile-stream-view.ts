import type { Aggregation, StreamView } from "../contracts/catalog.ts";
import type { Feature, FeatureType, KeyType } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import type { AggregationDefinition } from "./aggregation.ts";
import { checkWindows } from "./check-windows.ts";
import { columnTypes, compileDerived, type DerivedColumn, type DerivedMap } from "./derived-column.ts";
import type { EntityDefinition } from "./entity.ts";
import { compileExpression } from "./expression.ts";
import { checkLabels, labelsOf } from "./labels.ts";
import { checkNames } from "./names.ts";
import type { Problems } from "./problems.ts";
import type { EventSourceDefinition } from "./source.ts";
import type { StreamOptions, ViewDefinition } from "./view-definition.ts";
import { viewDuration, viewHead } from "./view-head.ts";

type Problem = (why: string) => void;

const numericTypes = ["int32", "int64", "float32", "float64"];

/** A view of event-time windows as catalog data; problems are collected. */
export function compileStream(view: ViewDefinition, options: StreamOptions, problems: Problems): StreamView {
  const problem = (why: string) => void problems.add(view, why);
  const windows = (options.windows ?? []).map((name) => ({
    name,
    ms: viewDuration(view, "windows", name, problems),
  }));
  const hopMs = viewDuration(view, "hop", options.hop, problems);
  checkWindows({ windows, hopMs }, problem);
  const derive = derivedColumns(options.derive);
  checkNames("derived column", Object.keys(options.derive ?? {}), problem);
  compileDerived(derive, fieldTypes(options.from), problem);
  const types = { ...fieldTypes(options.from), ...columnTypes(derive) };
  if (options.where !== undefined) compileExpression(options.where, types, (why) => problem(`where: ${why}`));
  checkNames("feature", Object.keys(options.features), problem);
  const aggregations = Object.entries(options.features).map(([name, definition]) =>
    compileAggregation(name, definition),
  );
  for (const aggregation of aggregations) checkAggregation(aggregation, { options, types }, problem);
  checkKeys(view.entity, { options, types }, problem);
  const features = Object.entries(options.features).flatMap(([name, definition]) =>
    windows.map((window) => windowedFeature(`${name}_${window.name}`, definition, problem)),
  );
  checkFeatureCount(features.length, windows.length, problem);
  return {
    lane: "stream",
    ...viewHead(view, problems),
    features,
    source: options.from.name,
    keys: { ...options.keys },
    ...(derive.length > 0 && { derive }),
    ...(options.where !== undefined && { where: options.where }),
    windows,
    hopMs,
    aggregations,
  };
}

function compileAggregation(name: string, { op, field, quantile }: AggregationDefinition): Aggregation {
  return { name, op, ...(field !== undefined && { field }), ...(quantile !== undefined && { quantile }) };
}

/** What keys and aggregations may name: the source's fields and the derived columns. */
interface Columns {
  readonly options: StreamOptions;
  readonly types: Readonly<Record<string, FeatureType>>;
}

function checkAggregation(aggregation: Aggregation, { options, types }: Columns, problem: Problem): void {
  const { quantile } = aggregation;
  if (quantile !== undefined && !(quantile > 0 && quantile < 1))
    problem(`feature "${aggregation.name}" asks for the quantile ${quantile}; use one between 0 and 1, such as 0.9`);
  if (aggregation.field === undefined) return;
  const type = typeOf(types, aggregation.field);
  if (type === undefined)
    problem(`feature "${aggregation.name}" aggregates "${aggregation.field}", ${whichNobodyHas(options)}`);
  else if (!numericTypes.includes(type))
    problem(`feature "${aggregation.name}" aggregates "${aggregation.field}", which is ${type}, not a number`);
}

function checkKeys({ name, key: keys }: EntityDefinition, { options, types }: Columns, problem: Problem): void {
  const said = options.keys ?? {};
  for (const [key, { type }] of Object.entries(keys)) {
    const field = said[key];
    const fieldType = typeOf(types, field);
    if (field === undefined) problem(`does not say which field is join key "${key}"; add it: keys: { ${key}: "…" }`);
    else if (fieldType === undefined) problem(`key "${key}" names field "${field}", ${whichNobodyHas(options)}`);
    else if (!keyFieldTypes[type].includes(fieldType))
      problem(
        `key "${key}" is ${type} and field "${field}" is ${fieldType}; use a field of type ${keyFieldTypes[type].join(" or ")}`,
      );
  }
  for (const key of Object.keys(said))
    if (!Object.hasOwn(keys, key)) problem(`says a field for "${key}", which is no key of entity "${name}"; remove it`);
}

/** Fields that give a key's text as it is. */
const keyFieldTypes: Readonly<Record<KeyType, readonly FeatureType[]>> = {
  string: ["string"],
  uuid: ["string"],
  int64: ["int64", "int32"],
};

function windowedFeature(name: string, definition: AggregationDefinition, problem: Problem): Feature {
  checkLabels(definition, (why) => problem(`feature "${name}" ${why}`));
  return { name, type: definition.op === "count" ? "int64" : "float64", ...labelsOf(definition) };
}

function checkFeatureCount(features: number, windows: number, problem: Problem): void {
  if (features > limits.featuresPerViewMax)
    problem(
      `has ${features} features in its ${windows} windows; at most ${limits.featuresPerViewMax} are allowed: split it`,
    );
}

function typeOf(types: Columns["types"], column: string | undefined): FeatureType | undefined {
  return column !== undefined && Object.hasOwn(types, column) ? types[column] : undefined;
}

function whichNobodyHas({ from, derive }: StreamOptions): string {
  return `which source "${from.name}" does not have${derive === undefined ? "" : ", nor does derive"}`;
}

function derivedColumns(derive: DerivedMap = {}): DerivedColumn[] {
  return Object.entries(derive).map(([name, { type, expression }]) => ({ name, type: type.type, expression }));
}

function fieldTypes({ fields }: EventSourceDefinition): Record<string, FeatureType> {
  return columnTypes(Object.entries(fields).map(([name, { type }]) => ({ name, type })));
}
