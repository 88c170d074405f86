import type { Aggregation, StreamView } from "../contracts/catalog.ts";
import type { Feature, FeatureType } from "../contracts/feature.ts";
import type { AggregationDefinition } from "./aggregation.ts";
import { columnTypes, compileDerived, type DerivedColumn, type DerivedMap } from "./derived-column.ts";
import { compileExpression } from "./expression.ts";
import type { Problems } from "./problems.ts";
import type { EventSourceDefinition } from "./source.ts";
import type { StreamOptions, ViewDefinition } from "./view-definition.ts";
import { viewDuration, viewHead } from "./view-head.ts";

const numericTypes = ["int32", "int64", "float32", "float64"];

/** A view of event-time windows as catalog data; problems are collected. */
export function compileStream(view: ViewDefinition, options: StreamOptions, problems: Problems): StreamView {
  const windows = options.windows.map((name) => ({ name, ms: viewDuration(view, "windows", name, problems) }));
  const hopMs = viewDuration(view, "hop", options.hop, problems);
  for (const window of windows) {
    if (window.ms % hopMs !== 0)
      problems.add(view, `window ${window.name} is not a multiple of its hop ${options.hop}`);
  }
  const derive = derivedColumns(options.derive);
  compileDerived(derive, fieldTypes(options.from), (why) => problems.add(view, why));
  const types = { ...fieldTypes(options.from), ...columnTypes(derive) };
  if (options.where !== undefined)
    compileExpression(options.where, types, (why) => problems.add(view, `where: ${why}`));
  const aggregations = Object.entries(options.features).map(([name, definition]) =>
    compileAggregation(name, definition),
  );
  for (const aggregation of aggregations)
    checkAggregation(aggregation, { options, types }, (why) => problems.add(view, why));
  checkKeys(view, { options, types }, problems);
  return {
    lane: "stream",
    ...viewHead(view, problems),
    features: aggregations.flatMap((aggregation) => windows.map((window) => windowedFeature(aggregation, window.name))),
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

function checkAggregation(aggregation: Aggregation, { options, types }: Columns, problem: (why: string) => void): void {
  if (aggregation.field === undefined) return;
  const type = types[aggregation.field];
  if (type === undefined)
    problem(`feature "${aggregation.name}" aggregates "${aggregation.field}", ${whichNobodyHas(options)}`);
  else if (!numericTypes.includes(type))
    problem(`feature "${aggregation.name}" aggregates "${aggregation.field}", which is ${type}, not a number`);
}

function checkKeys(view: ViewDefinition, { options, types }: Columns, problems: Problems): void {
  for (const key of Object.keys(view.entity.key)) {
    const field = options.keys[key];
    if (field === undefined) problems.add(view, `does not say which field is join key "${key}"`);
    else if (types[field] === undefined)
      problems.add(view, `key "${key}" names field "${field}", ${whichNobodyHas(options)}`);
  }
}

function windowedFeature(aggregation: Aggregation, window: string): Feature {
  return { name: `${aggregation.name}_${window}`, type: aggregation.op === "count" ? "int64" : "float64" };
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
