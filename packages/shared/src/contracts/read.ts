import { z } from "zod";
import type { FeatureValue } from "./chunk.ts";
import { limits } from "./limits.ts";
import { tokenSchema } from "./write.ts";

/**
 * `read.features`: request and reply, JSON or msgpack; the reply comes in the request's encoding.
 *
 * Format history
 *   1  first form: columnar reply, detail, tokens; since then, optional: lane and view of each row (`lanes`, `views`);
 *      request fields beside the keys, and with them truth values and null; on-demand columns, which have no lane and no view;
 *      packed columns in the reply to a request that welcomes them
 */
const givenValue = z.union([z.string().max(limits.stringBytesMax), z.number(), z.bigint(), z.boolean(), z.null()]);

export const readRequestSchema = z.strictObject({
  featureService: z.string(),
  /** One object of request keys and request fields per entity row; the reply's rows come in this order. */
  keys: z.array(z.record(z.string(), givenValue)).min(1).max(limits.readEntitiesMax),
  /** A subset of the feature service's columns; absent = all. */
  features: z.array(z.string()).min(1).optional(),
  /** Adds status, event time, age, lane and fresh for each value. */
  detail: z.boolean().optional(),
  /** Wait, bounded, until the cells of these writes are readable. */
  after: z.array(tokenSchema).max(100).optional(),
  /** How long `after` may wait, ms. Default 1,000. */
  waitMs: z.number().int().min(0).max(30_000).optional(),
});
export type ReadRequest = z.infer<typeof readRequestSchema>;

export const statuses = ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"] as const;
export type Status = (typeof statuses)[number];

/** One feature for every entity row. `values[i]` belongs to `keys[i]` of the request. */
export interface ReadColumn {
  readonly name: string;
  readonly values: readonly FeatureValue[];
  /** The rest only with `detail`. */
  readonly statuses?: readonly Status[];
  /** Epoch ms; null where nothing is stored. */
  readonly eventTimes?: readonly (number | null)[];
  /** now − max(event time, confirmation), ms; null where nothing is stored. */
  readonly agesMs?: readonly (number | null)[];
  readonly fresh?: readonly boolean[];
  /** Lane and view are absent in a column that is computed on demand: its time, age and freshness are those of its inputs. */
  readonly lane?: "batch" | "stream" | "direct";
  readonly view?: string;
  /** Only where the column has layers: what each row's value comes from; `lane` and `view` are the lowest layer's. */
  readonly lanes?: readonly ("batch" | "stream" | "direct")[];
  readonly views?: readonly string[];
}

/** Header of a request over NATS and HTTP: which columns its reply may have beside plain ones. Unknown values change nothing. */
export const columnsHeader = "Tributary-Columns";
export const packedColumns = "packed";

/**
 * What stands in a msgpack reply for a plain column of many rows that has only numbers and nulls, where the request welcomes it:
 * exactly one of `int32` and `float64` (see codec/packed-numbers.ts).
 */
export interface PackedColumn {
  readonly name: string;
  readonly int32?: Uint8Array;
  readonly float64?: Uint8Array;
  /** There is one number, and it stands for this many rows. */
  readonly rows?: number;
}

export interface ReadReply {
  readonly featureService: string;
  readonly catalogVersion: number;
  /** Changes when the store lost data. */
  readonly epoch: string;
  /** The clock's instant at which ages were measured, epoch ms. */
  readonly nowMs: number;
  readonly columns: readonly ReadColumn[];
}
