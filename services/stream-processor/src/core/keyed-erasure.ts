import { pack } from "@tributary/shared/codec/msgpack";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import { z } from "zod";

/**
 * An erasure as an item of its partition's series, so that window state stays a function of position alone (S3): a takeover
 * that begins before it ends where its predecessor was. Format 3 of what TRIB_KEYED carries (see keyed-item.ts); msgpack.
 *
 *   f format · x the erasure's id · e entity · p partition · k key · t event time, epoch ms · by producer · fence
 */
export const erasureFormat = 3;

/** In the place of a source: no source can be called so, as names begin with a letter. */
export const erasureToken = "_erasures";

export interface KeyedErasure extends Pick<Erasure, "id" | "entity" | "key" | "eventTime"> {
  readonly partition: number;
  readonly producer: string;
  readonly fence: number;
}

const integer = z.number().int();
const wireSchema = z
  .object({
    f: z.literal(erasureFormat),
    x: z.string(),
    e: z.string(),
    p: integer.min(0),
    k: z.string(),
    t: integer,
    by: z.string(),
    fence: integer,
  })
  .transform(
    ({ x, e, p, k, t, by, fence }): KeyedErasure => ({
      id: x,
      entity: e,
      partition: p,
      key: k,
      eventTime: t,
      producer: by,
      fence,
    }),
  );

export function encodeKeyedErasure({
  id,
  entity,
  partition,
  key,
  eventTime,
  producer,
  fence,
}: KeyedErasure): Uint8Array {
  return pack({ f: erasureFormat, x: id, e: entity, p: partition, k: key, t: eventTime, by: producer, fence });
}

/** What was unpacked, if it is one. */
export function parseKeyedErasure(value: unknown): KeyedErasure | undefined {
  return wireSchema.safeParse(value).data;
}
