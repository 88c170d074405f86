/** Aggregations of a stream view. The phantom is what a read gives: a count is never null, others are null when the window is empty. */
export interface AggregationDefinition<T = unknown> {
  readonly kind: "aggregation";
  readonly op: "count" | "sum" | "mean" | "min" | "max" | "percentile";
  readonly field?: string;
  readonly quantile?: number;
  readonly phantom?: T;
}

export const count = (): AggregationDefinition<number> => ({ kind: "aggregation", op: "count" });
export const sum = (field: string): AggregationDefinition<number | null> => ({ kind: "aggregation", op: "sum", field });
export const mean = (field: string): AggregationDefinition<number | null> => ({
  kind: "aggregation",
  op: "mean",
  field,
});
export const min = (field: string): AggregationDefinition<number | null> => ({ kind: "aggregation", op: "min", field });
export const max = (field: string): AggregationDefinition<number | null> => ({ kind: "aggregation", op: "max", field });
/** The quantile in (0, 1), by a mergeable sketch of 1 % relative error. */
export const percentile = (field: string, quantile: number): AggregationDefinition<number | null> => ({
  kind: "aggregation",
  op: "percentile",
  field,
  quantile,
});
