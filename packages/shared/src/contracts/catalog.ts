import { z } from "zod";
import { durationMsSchema, featureSchema, featureTypeSchema, keyTypeSchema, labels, nameSchema } from "./feature.ts";
import { limits } from "./limits.ts";
import { eventSourceSchema, tableSourceSchema } from "./source.ts";

/**
 * The catalog: the immutable, canonical JSON that definitions compile to and services live by. No code travels in it.
 *
 * Format history
 *   1  first form: entities, event and table sources, batch, stream and direct views, feature services;
 *      since then, optional: a column's layers (`over`); length checks, `nullable`, `as`, tags, owner and pii of a feature;
 *      JSON and PostgreSQL table sources; an event source's id, de-duplication and allowed lateness; derived columns;
 *      a view's own record, how its lane was chosen and what it aggregates; on-demand features and a feature service's request fields;
 *      which version a version follows
 */

export const entitySchema = z.strictObject({
  name: nameSchema,
  keys: z
    .array(z.strictObject({ name: nameSchema, type: keyTypeSchema }))
    .min(1)
    .max(8),
  ...labels,
});
export type Entity = z.infer<typeof entitySchema>;

export const aggregationSchema = z.strictObject({
  name: nameSchema,
  op: z.enum(["count", "sum", "mean", "min", "max", "percentile"]),
  field: nameSchema.optional(),
  /** percentile: the quantile in (0, 1). */
  quantile: z.number().gt(0).lt(1).optional(),
});
export type Aggregation = z.infer<typeof aggregationSchema>;

const viewBase = {
  name: nameSchema,
  version: z.number().int().positive(),
  entity: nameSchema,
  features: z.array(featureSchema).min(1).max(1_000),
  /** The age this view promises not to exceed, ms. */
  freshnessMs: durationMsSchema,
  /** Age past which reads answer OUTSIDE_MAX_AGE, ms; null = never. */
  ttlMs: durationMsSchema.nullable(),
  /** The store keeps this view in a record of its own: for a view that is big and rarely read. */
  ownRecord: z.boolean().optional(),
  /** An aggregateView's: which rule of the planner's table gave it this lane. */
  laneRule: z.string().optional(),
  ...labels,
};

const windowsSchema = z.array(z.strictObject({ name: z.string(), ms: durationMsSchema })).min(1);

/** What an aggregateView's SQL was made of. */
const aggregateSchema = z.strictObject({
  /** The event source whose events the view's table holds. */
  source: nameSchema,
  windows: windowsSchema,
  hopMs: durationMsSchema,
  /** CEL that the SQL calls as `trib_where`, with the fields that it names in this order. */
  where: z
    .strictObject({
      expression: z.string(),
      inputs: z.array(z.strictObject({ name: nameSchema, type: featureTypeSchema, of: featureTypeSchema.optional() })),
    })
    .optional(),
});

export const batchViewSchema = z.strictObject({
  lane: z.literal("batch"),
  ...viewBase,
  sql: z.string().min(1),
  sources: z.array(nameSchema).min(1),
  everyMs: durationMsSchema,
  /** A run that would delete more than this share of the published rows is refused. */
  deleteShareMax: z.number().min(0).max(1),
  aggregate: aggregateSchema.optional(),
});
export type BatchView = z.infer<typeof batchViewSchema>;

export const streamViewSchema = z.strictObject({
  lane: z.literal("stream"),
  ...viewBase,
  source: nameSchema,
  /** Join key → field of the source. */
  keys: z.record(z.string(), z.string()),
  /** Columns that CEL makes of the source's fields; `where`, keys and aggregations may name them. In declared order: later ones may use earlier ones. */
  derive: z.array(z.strictObject({ name: nameSchema, type: featureTypeSchema, expression: z.string() })).optional(),
  /** CEL over the source's fields and derived columns; absent = every event. */
  where: z.string().optional(),
  windows: windowsSchema,
  hopMs: durationMsSchema,
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

/** Shape of a value that goes into or comes out of an expression. */
const computedShape = {
  name: nameSchema,
  type: featureTypeSchema,
  /** Element type of a list or map. */
  of: featureTypeSchema.optional(),
};
/** What applications hold an int64 in; CEL computes with the nearest double. */
const inputShape = { ...computedShape, as: z.enum(["bigint"]).optional() };

/** A feature that is computed when it is read: CEL over typed inputs. Null when the expression cannot be evaluated. */
export const onDemandFeatureSchema = z.strictObject({
  ...computedShape,
  inputs: z.array(z.strictObject(inputShape)).min(1).max(64),
  expression: z.string().min(1),
  ...labels,
});
export type OnDemandFeature = z.infer<typeof onDemandFeatureSchema>;

/** What a read gives in each row of its keys, besides the keys. */
export const requestFieldSchema = z.strictObject({
  ...inputShape,
  /** True: it may be null or absent. */
  nullable: z.boolean(),
});
export type RequestField = z.infer<typeof requestFieldSchema>;

export const featureServiceSchema = z.strictObject({
  name: nameSchema,
  /** What a read's keys are called and typed, in declared order. */
  requestKeys: z.array(z.strictObject({ name: nameSchema, type: keyTypeSchema })).min(1),
  columns: z
    .array(
      z.strictObject({
        name: nameSchema,
        view: nameSchema,
        feature: nameSchema,
        /** Join key of the view's entity → request key. */
        keys: z.record(z.string(), z.string()),
        /** Direct views' features that stand for this one while they live (L1), uppermost first. */
        over: z
          .array(z.strictObject({ view: nameSchema, feature: nameSchema }))
          .min(1)
          .max(limits.layersMax)
          .optional(),
      }),
    )
    .min(1),
  /** Columns computed when they are read, behind the others, each after those that it needs. */
  onDemand: z
    .array(
      z.strictObject({
        name: nameSchema,
        /** Of the catalog's on-demand features. */
        feature: nameSchema,
        /** Every input → where its value comes from: a column of this feature service, or a request field. */
        inputs: z.record(z.string(), z.strictObject({ from: z.enum(["column", "request"]), name: nameSchema })),
      }),
    )
    .optional(),
  requestFields: z.array(requestFieldSchema).optional(),
  ...labels,
});
export type FeatureService = z.infer<typeof featureServiceSchema>;

/** What definitions compile to; a catalog version adds its number and fingerprint. */
export const catalogBodySchema = z.strictObject({
  format: z.literal(1),
  partitions: z.number().int().min(1).max(100),
  entities: z.record(z.string(), entitySchema),
  sources: z.record(z.string(), z.discriminatedUnion("kind", [eventSourceSchema, tableSourceSchema])),
  onDemandFeatures: z.record(z.string(), onDemandFeatureSchema).optional(),
  views: z.record(z.string(), viewSchema),
  featureServices: z.record(z.string(), featureServiceSchema),
});
export type CatalogBody = z.infer<typeof catalogBodySchema>;

export const catalogSchema = catalogBodySchema.extend({
  version: z.number().int().positive(),
  /** SHA-256, hex, of the canonical JSON of the body. */
  fingerprint: z.string(),
  /** The version that was current before it: the way back. Absent in versions of older builds. */
  follows: z.number().int().nonnegative().optional(),
});
export type Catalog = z.infer<typeof catalogSchema>;

/** P: a constant of an environment, not of a catalog version. */
export const defaultPartitions = 32;
