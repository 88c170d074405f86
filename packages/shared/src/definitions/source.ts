import type { Duration } from "./duration.ts";
import type { TypeDefinition } from "./feature-type.ts";
import { placed } from "./place.ts";

export type FieldMap = Readonly<Record<string, TypeDefinition<unknown, null>>>;

export interface EventSourceDefinition<F extends FieldMap = FieldMap> {
  readonly kind: "eventSource";
  readonly name: string;
  readonly fields: F;
  readonly eventTime: string;
  readonly disorder: Duration;
  readonly shards?: number;
  readonly version?: number;
}

/** A named kind of event. `disorder`: how far out of order its events may come. */
export function eventSource<const F extends FieldMap>(
  name: string,
  options: { fields: F; eventTime: keyof F & string; disorder: Duration; shards?: number; version?: number },
): EventSourceDefinition<F> {
  return placed({ kind: "eventSource", name, ...options }, eventSource);
}

export interface TableSourceDefinition<F extends FieldMap = FieldMap> {
  readonly kind: "tableSource";
  readonly name: string;
  readonly format: "parquet" | "csv";
  readonly files: readonly string[];
  readonly fields: F;
  readonly unique?: readonly string[];
}

/** Files of one shape in the lake: globs relative to its root, or absolute. Equal rows by `unique` are taken once. */
export function tableSource<const F extends FieldMap>(
  name: string,
  options: { format: "parquet" | "csv"; files: readonly string[]; fields: F; unique?: readonly (keyof F & string)[] },
): TableSourceDefinition<F> {
  return placed({ kind: "tableSource", name, ...options }, tableSource);
}
