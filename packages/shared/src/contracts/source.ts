import { z } from "zod";
import { durationMsSchema, featureTypeSchema, labels, nameSchema } from "./feature.ts";

const fieldSchema = z.strictObject({
  name: nameSchema,
  type: featureTypeSchema,
  nullable: z.boolean(),
  /** What a list or map holds, and how long a vector is: values are cast to that. */
  of: featureTypeSchema.optional(),
  dimension: z.number().int().positive().max(65_536).optional(),
  /** As of a feature. */
  as: z.enum(["bigint"]).optional(),
  description: z.string().optional(),
});
export type Field = z.infer<typeof fieldSchema>;

export const eventSourceSchema = z.strictObject({
  kind: z.literal("event"),
  name: nameSchema,
  version: z.number().int().positive(),
  fields: z.array(fieldSchema).min(1),
  eventTime: nameSchema,
  /** How far out of order events may come, ms. */
  disorderMs: z.number().int().nonnegative(),
  shards: z.number().int().positive().max(64),
  /** The field by which an event that comes again is known, within `dedupeMs` of event time. */
  id: nameSchema.optional(),
  dedupeMs: durationMsSchema.optional(),
  /** How long behind the watermark a tumbling or session window still takes an event, ms; sliding windows never close. */
  allowedLatenessMs: z.number().int().nonnegative().optional(),
  ...labels,
});
export type EventSource = z.infer<typeof eventSourceSchema>;

const tableBase = {
  kind: z.literal("table"),
  name: nameSchema,
  fields: z.array(fieldSchema).min(1),
  /** Fields that identify a row: equal rows are taken once. */
  unique: z.array(nameSchema).optional(),
  ...labels,
};

export const fileTableSchema = z.strictObject({
  ...tableBase,
  /** json: one object a line, or one array of objects. */
  format: z.enum(["parquet", "csv", "json"]),
  /** Globs, absolute or relative to the lake's root (`raw/…`). */
  files: z.array(z.string()).min(1),
});
export type FileTable = z.infer<typeof fileTableSchema>;

/** `crm` is read from `SOURCE_CRM_URL`. */
export const connectionPattern = /^[a-z][a-z0-9_]{0,62}$/;

export const postgresTableSchema = z.strictObject({
  ...tableBase,
  format: z.literal("postgres"),
  /** Names the batch-runner's setting that holds the URL; a secret never stands in a catalog. */
  connection: z.string().regex(connectionPattern),
  /** Read in one snapshot at the start of each run. */
  query: z.string().min(1),
});
export type PostgresTable = z.infer<typeof postgresTableSchema>;

export const tableSourceSchema = z.discriminatedUnion("format", [fileTableSchema, postgresTableSchema]);
export type TableSource = z.infer<typeof tableSourceSchema>;
