import { pack, unpack } from "@tributary/shared/codec/msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { OriginPosition } from "@tributary/shared/contracts/events";
import { z } from "zod";
import { erasureFormat, type KeyedErasure, parseKeyedErasure } from "./keyed-erasure.ts";

/**
 * A message of `keyed.<pNN>.<source>.<entity>`: what route read, for one partition and entity, in the order read; msgpack.
 * One item is one event with all its projections (O3), with its origin (O1) and arrival (O6). A mark says that everything
 * of this source and shard that arrived up to an instant stands before it in this series (C1).
 *
 *   f format · s source · sv source version · sh shard · e entity · p partition · i incarnation of TRIB_EVENTS ·
 *   cv catalog version · by producer · fence · v views [[name, version], …] · c fields [name, …] ·
 *   it items [[sequence, index, arrival, event time, [[index into v, key], …], [value per field], id?], …] · mk mark, epoch ms
 *
 * Format history
 *   1  first form; still written while no item has an id
 *   2  an item may have its event's id, as it is kept: an owner that does not know it would count the event twice
 *   3  not events but an erasure (keyed-erasure.ts): an owner that does not know it would go on counting what is erased
 */
const formats = { plain: 1, withIds: 2 } as const;

const integer = z.number().int();
const itemSchema = z.tuple([
  integer.min(0),
  integer.min(0),
  integer,
  integer,
  z.array(z.tuple([integer.min(0), z.string()])),
  z.array(z.union([z.number(), z.null()])),
  z.string().max(64).optional(),
]);
const wireSchema = z.object({
  f: z.literal([formats.plain, formats.withIds]),
  s: z.string(),
  sv: integer,
  sh: integer.min(0),
  e: z.string(),
  p: integer.min(0),
  i: integer,
  cv: integer,
  by: z.string(),
  fence: integer,
  v: z.array(z.tuple([z.string(), integer])),
  c: z.array(z.string()),
  it: z.array(itemSchema),
  mk: integer.optional(),
});

export interface KeyedItem extends Pick<OriginPosition, "sequence" | "index"> {
  /** When the event reached the broker, on the clock, epoch ms. */
  readonly arrivalMs: number;
  readonly eventMs: number;
  /** Index into the chunk's views, entity key. */
  readonly projections: readonly (readonly [view: number, key: string])[];
  /** One a field of the chunk; null where the event has none. */
  readonly values: readonly (number | null)[];
  /** By which the event is known when it comes again (`eventId`). */
  readonly id?: string;
}

export interface KeyedChunk {
  readonly source: string;
  readonly sourceVersion: number;
  readonly shard: number;
  readonly entity: string;
  readonly partition: number;
  /** Creation time of TRIB_EVENTS, epoch ms. */
  readonly incarnation: number;
  readonly catalogVersion: number;
  readonly producer: string;
  readonly fence: number;
  readonly views: readonly (readonly [name: string, version: number])[];
  readonly fields: readonly string[];
  readonly items: readonly KeyedItem[];
  readonly markMs?: number;
}

/** A message of a partition's series. */
export type KeyedMessage =
  | { readonly kind: "events"; readonly chunk: KeyedChunk }
  | { readonly kind: "erasure"; readonly erasure: KeyedErasure };

export function encodeKeyedChunk(chunk: KeyedChunk): Uint8Array {
  return pack({
    f: chunk.items.some(({ id }) => id !== undefined) ? formats.withIds : formats.plain,
    s: chunk.source,
    sv: chunk.sourceVersion,
    sh: chunk.shard,
    e: chunk.entity,
    p: chunk.partition,
    i: chunk.incarnation,
    cv: chunk.catalogVersion,
    by: chunk.producer,
    fence: chunk.fence,
    v: chunk.views,
    c: chunk.fields,
    it: chunk.items.map((item) => [
      item.sequence,
      item.index,
      item.arrivalMs,
      item.eventMs,
      item.projections,
      item.values,
      ...(item.id === undefined ? [] : [item.id]),
    ]),
    ...(chunk.markMs !== undefined && { mk: chunk.markMs }),
  });
}

/** @throws TributaryError MALFORMED, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED */
export function decodeKeyedMessage(bytes: Uint8Array): KeyedMessage {
  const value = unpack(bytes);
  if (formatOf(value) !== erasureFormat) return { kind: "events", chunk: parseChunk(value) };
  const erasure = parseKeyedErasure(value);
  if (erasure === undefined) throw malformed("its erasure lacks a field or has one of the wrong type");
  return { kind: "erasure", erasure };
}

/** The same of a message that holds events. */
export function decodeKeyedChunk(bytes: Uint8Array): KeyedChunk {
  return parseChunk(unpack(bytes));
}

function parseChunk(value: unknown): KeyedChunk {
  const parsed = wireSchema.safeParse(value);
  if (!parsed.success) throw refusalOf(value, parsed.error);
  const wire = parsed.data;
  return {
    source: wire.s,
    sourceVersion: wire.sv,
    shard: wire.sh,
    entity: wire.e,
    partition: wire.p,
    incarnation: wire.i,
    catalogVersion: wire.cv,
    producer: wire.by,
    fence: wire.fence,
    views: wire.v,
    fields: wire.c,
    items: wire.it.map((item) => toItem(item, wire)),
    ...(wire.mk !== undefined && { markMs: wire.mk }),
  };
}

function toItem(wire: z.infer<typeof itemSchema>, chunk: z.infer<typeof wireSchema>): KeyedItem {
  const [sequence, index, arrivalMs, eventMs, projections, values, id] = wire;
  if (values.length !== chunk.c.length)
    throw malformed(`an item has ${values.length} values for ${chunk.c.length} fields`);
  if (projections.some(([view]) => view >= chunk.v.length)) throw malformed("a projection names no view");
  return { sequence, index, arrivalMs, eventMs, projections, values, ...(id !== undefined && { id }) };
}

function refusalOf(value: unknown, error: z.ZodError): TributaryError {
  const format = formatOf(value);
  const read: readonly number[] = [...Object.values(formats), erasureFormat];
  if (typeof format === "number" && !read.includes(format))
    return new TributaryError(
      "UNSUPPORTED_FORMAT",
      `keyed format ${format} is not known, this build reads ${read.join(", ")}`,
    );
  return malformed(`field ${error.issues[0]?.path.join(".") || "(top)"} is missing or of the wrong type`);
}

function formatOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "f" in value ? value.f : undefined;
}

function malformed(why: string): TributaryError {
  return new TributaryError("MALFORMED", `not a keyed chunk: ${why}`);
}
