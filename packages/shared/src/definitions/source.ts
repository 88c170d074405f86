import type { Duration } from "./duration.ts";
import type { TypeDefinition } from "./feature-type.ts";
import type { Labels } from "./labels.ts";
import { placed } from "./place.ts";

export type FieldMap = Readonly<Record<string, TypeDefinition<unknown, null>>>;

export interface EventSourceDefinition<F extends FieldMap = FieldMap> extends Labels {
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

interface EventOptions<F extends FieldMap> extends Labels {
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
  return placed({ ...options, kind: "eventSource", name }, eventSource);
}

interface TableFields<F extends FieldMap> extends Labels {
  readonly fields: F;
  /** Fields that identify a row: equal rows are taken once. */
  readonly unique?: readonly (keyof F & string)[];
}

interface FileOptions<F extends FieldMap> extends TableFields<F> {
  /** json: one object a line, or one array of objects. */
  readonly format: "parquet" | "csv" | "json";
  /** Globs relative to the lake's root, or absolute. */
  readonly files: readonly string[];
}

interface QueryOptions<F extends FieldMap> extends TableFields<F> {
  readonly format: "postgres";
  /** `crm`: the batch-runner finds the URL in its setting `SOURCE_CRM_URL`. */
  readonly connection: string;
  /** One SELECT, read whole in one snapshot at the start of each run. */
  readonly query: string;
}

export type TableSourceDefinition<F extends FieldMap = FieldMap> = {
  readonly kind: "tableSource";
  readonly name: string;
} & (FileOptions<F> | QueryOptions<F>);

/** Rows of one shape, in files of the lake or behind a query of PostgreSQL. */
export function tableSource<const F extends FieldMap>(
  name: string,
  options: FileOptions<F> | QueryOptions<F>,
): TableSourceDefinition<F> {
  return placed({ ...options, kind: "tableSource", name }, tableSource);
}
