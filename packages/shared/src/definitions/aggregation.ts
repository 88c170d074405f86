import type { Labels } from "./labels.ts";

/**
 * Aggregations of a stream view; what is said of one is said of its feature in every window. The phantom is what a read
 * gives: a count is never null, others are null when the window is empty.
 */
export interface AggregationDefinition<T = unknown> extends Labels {
  readonly kind: "aggregation";
  readonly op: "count" | "sum" | "mean" | "min" | "max" | "percentile";
  readonly field?: string;
  readonly quantile?: number;
  readonly phantom?: T;
}

type OfField = AggregationDefinition<number | null>;

const of =
  (op: AggregationDefinition["op"]) =>
  (field: string, labels?: Labels): OfField => ({ kind: "aggregation", op, field, ...labels });

/** How many events. */
export const count = (labels?: Labels): AggregationDefinition<number> => ({
  kind: "aggregation",
  op: "count",
  ...labels,
});
export const sum = of("sum");
export const mean = of("mean");
export const min = of("min");
export const max = of("max");
/** The quantile in (0, 1), by a mergeable sketch of 1 % relative error. */
export const percentile = (field: string, quantile: number, labels?: Labels): OfField => ({
  kind: "aggregation",
  op: "percentile",
  field,
  quantile,
  ...labels,
});
