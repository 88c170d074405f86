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
  readonly id?: string;
  readonly dedupe?: Duration;
  readonly allowedLateness?: Duration;
}

interface EventOptions<F extends FieldMap> {
  readonly fields: F;
  readonly eventTime: keyof F & string;
  /** How far out of order events may come. */
  readonly disorder: Duration;
  readonly shards?: number;
  readonly version?: number;
  /** The field (string, int32 or int64) by which an event that comes again is known, and counted once. */
  readonly id?: keyof F & string;
  /** How far apart in event time two events of one id are the same; default 10m. */
  readonly dedupe?: Duration;
  /** How long behind the watermark tumbling and session windows take an event; sliding windows never close. Default 0. */
  readonly allowedLateness?: Duration;
}

/** A named kind of event. */
export function eventSource<const F extends FieldMap>(
  name: string,
  options: EventOptions<F>,
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
