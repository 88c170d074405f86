import { z } from "zod";

/** Of every definition, feature, field and key. */
export const nameSchema = z
  .string()
  .regex(/^[a-z][a-zA-Z0-9_]{0,62}$/, "must be letters, digits and _, starting with a lower-case letter");
export const durationMsSchema = z.number().int().positive();

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

/** What a list may hold in a batch view or a table; a map it cannot be at all. */
export const batchElementTypes: readonly FeatureType[] = ["bool", "int32", "int64", "float32", "float64", "string"];

/** What people and tools know a definition by; nothing is computed from it. */
export const labels = {
  description: z.string().optional(),
  owner: z.string().optional(),
  tags: z.array(z.string().min(1).max(63)).max(32).optional(),
};

export const featureSchema = z.strictObject({
  name: nameSchema,
  type: featureTypeSchema,
  /** Element type of a list or map, dimension of a vector. */
  of: featureTypeSchema.optional(),
  dimension: z.number().int().positive().max(65_536).optional(),
  /** A value of the type that reads return instead of null; absent means null. */
  default: z.unknown().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  enum: z.array(z.string()).optional(),
  /** Of a string in characters, of bytes in bytes, of a list or map in elements. */
  minLength: z.number().int().nonnegative().optional(),
  maxLength: z.number().int().nonnegative().optional(),
  /** False: a write of null is refused, and a batch row with null is an error. Absent = true. */
  nullable: z.boolean().optional(),
  /** int64 in TypeScript: a bigint over the whole range, instead of a safe integer. */
  as: z.enum(["bigint"]).optional(),
  /** Batch: a change not greater than this, measured against the published value, is not published. */
  tolerance: z.number().nonnegative().optional(),
  ...labels,
  /** Holds personal data: tools never print its values unasked. */
  pii: z.boolean().optional(),
});
export type Feature = z.infer<typeof featureSchema>;
