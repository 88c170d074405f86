import { z } from "zod";
import { limits } from "./limits.ts";

/**
 * The catalog: the immutable, canonical JSON that definitions compile to and services live by. No code travels in it.
 *
 * Format history
 *   1  first form: entities, event and table sources, batch, stream and direct views, feature services;
 *      since then, optional: a column's layers (`over`)
 */
const name = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]{0,62}$/, "must be letters, digits and _, starting with a lower-case letter");
const durationMs = z.number().int().positive();

export const keyTypeSchema = z.enum(["string", "int64", "uuid"]);
export type KeyType = z.infer<typeof keyTypeSchema>;

const scalarTypes = [
  "bool",
  "int32",
  "int64",
  "float32",
  "float64",
  "string",
  "bytes",
  "timestamp",
  "date",
  "json",
] as const;
/** `vector` carries its dimension beside it. */
export const featureTypeSchema = z.enum([...scalarTypes, "list", "map", "vector"]);
export type FeatureType = z.infer<typeof featureTypeSchema>;

export const featureSchema = z.strictObject({
  name,
  type: featureTypeSchema,
  /** Element type of a list or map, dimension of a vector. */
  of: featureTypeSchema.optional(),
  dimension: z.number().int().positive().max(65_536).optional(),
  /** A value of the type that reads return instead of null; absent means null. */
  default: z.unknown().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  enum: z.array(z.string()).optional(),
  /** Batch: a change not greater than this, measured against the published value, is not published. */
  tolerance: z.number().nonnegative().optional(),
  description: z.string().optional(),
});
export type Feature = z.infer<typeof featureSchema>;

export const entitySchema = z.strictObject({
  name,
  keys: z
    .array(z.strictObject({ name, type: keyTypeSchema }))
    .min(1)
    .max(8),
  description: z.string().optional(),
});
export type Entity = z.infer<typeof entitySchema>;

const fieldSchema = z.strictObject({ name, type: featureTypeSchema, nullable: z.boolean() });
export type Field = z.infer<typeof fieldSchema>;

export const eventSourceSchema = z.strictObject({
  kind: z.literal("event"),
  name,
  version: z.number().int().positive(),
  fields: z.array(fieldSchema).min(1),
  eventTime: name,
  /** How far out of order events may come, ms. */
  disorderMs: z.number().int().nonnegative(),
  shards: z.number().int().positive().max(64),
});
export type EventSource = z.infer<typeof eventSourceSchema>;

export const tableSourceSchema = z.strictObject({
  kind: z.literal("table"),
  name,
  format: z.enum(["parquet", "csv"]),
  /** Globs, absolute or relative to the lake's root (`raw/…`). */
  files: z.array(z.string()).min(1),
  fields: z.array(fieldSchema).min(1),
  /** Fields that identify a row: equal rows are taken once. */
  unique: z.array(name).optional(),
});
export type TableSource = z.infer<typeof tableSourceSchema>;

export const aggregationSchema = z.strictObject({
  name,
  op: z.enum(["count", "sum", "mean", "min", "max", "percentile"]),
  field: name.optional(),
  /** percentile: the quantile in (0, 1). */
  quantile: z.number().gt(0).lt(1).optional(),
});
export type Aggregation = z.infer<typeof aggregationSchema>;

const viewBase = {
  name,
  version: z.number().int().positive(),
  entity: name,
  features: z.array(featureSchema).min(1).max(1_000),
  /** The age this view promises not to exceed, ms. */
  freshnessMs: durationMs,
  /** Age past which reads answer OUTSIDE_MAX_AGE, ms; null = never. */
  ttlMs: durationMs.nullable(),
  description: z.string().optional(),
  owner: z.string().optional(),
};

export const batchViewSchema = z.strictObject({
  lane: z.literal("batch"),
  ...viewBase,
  sql: z.string().min(1),
  sources: z.array(name).min(1),
  everyMs: durationMs,
  /** A run that would delete more than this share of the published rows is refused. */
  deleteShareMax: z.number().min(0).max(1),
});
export type BatchView = z.infer<typeof batchViewSchema>;

export const streamViewSchema = z.strictObject({
  lane: z.literal("stream"),
  ...viewBase,
  source: name,
  /** Join key → field of the source. */
  keys: z.record(z.string(), z.string()),
  /** CEL over the source's fields; absent = every event. */
  where: z.string().optional(),
  windows: z.array(z.strictObject({ name: z.string(), ms: durationMs })).min(1),
  hopMs: durationMs,
  /** Feature `<aggregation>_<window>` for each pair, in this order: windows inside aggregations. */
  aggregations: z.array(aggregationSchema).min(1),
});
export type StreamView = z.infer<typeof streamViewSchema>;

export const directViewSchema = z.strictObject({
  lane: z.literal("direct"),
  ...viewBase,
  producers: z.array(z.string()),
});
export type DirectView = z.infer<typeof directViewSchema>;

export const viewSchema = z.discriminatedUnion("lane", [batchViewSchema, streamViewSchema, directViewSchema]);
export type View = z.infer<typeof viewSchema>;
export type Lane = View["lane"];
export const lanes = ["batch", "stream", "direct"] as const satisfies readonly Lane[];

export const featureServiceSchema = z.strictObject({
  name,
  /** What a read's keys are called and typed, in declared order. */
  requestKeys: z.array(z.strictObject({ name, type: keyTypeSchema })).min(1),
  columns: z
    .array(
      z.strictObject({
        name,
        view: name,
        feature: name,
        /** Join key of the view's entity → request key. */
        keys: z.record(z.string(), z.string()),
        /** Direct views' features that stand for this one while they live (L1), uppermost first. */
        over: z
          .array(z.strictObject({ view: name, feature: name }))
          .min(1)
          .max(limits.layersMax)
          .optional(),
      }),
    )
    .min(1),
  description: z.string().optional(),
});
export type FeatureService = z.infer<typeof featureServiceSchema>;

/** What definitions compile to; a catalog version adds its number and fingerprint. */
export const catalogBodySchema = z.strictObject({
  format: z.literal(1),
  partitions: z.number().int().min(1).max(100),
  entities: z.record(z.string(), entitySchema),
  sources: z.record(z.string(), z.discriminatedUnion("kind", [eventSourceSchema, tableSourceSchema])),
  views: z.record(z.string(), viewSchema),
  featureServices: z.record(z.string(), featureServiceSchema),
});
export type CatalogBody = z.infer<typeof catalogBodySchema>;

export const catalogSchema = catalogBodySchema.extend({
  version: z.number().int().positive(),
  /** SHA-256, hex, of the canonical JSON of the body. */
  fingerprint: z.string(),
});
export type Catalog = z.infer<typeof catalogSchema>;

/** P: a constant of an environment, not of a catalog version. */
export const defaultPartitions = 32;
