import { corrupt } from "@tributary/shared/merge/byte-reader";
import { parseShape, type Shape, type ShapeLookup, shapeField, shapeText, UnknownShape } from "../core/shape.ts";
import { shapesKey, slotOf } from "../core/store-keys.ts";
import { ask, type RedisServers } from "./redis-servers.ts";

/** The shapes that records name: those this process knows, and the way to those that others wrote. */
export interface Shapes extends ShapeLookup {
  /** From the slots that the records came from. @throws TributaryError UNAVAILABLE; CORRUPT when none has the shape */
  learn(unknown: UnknownShape, slots: readonly string[]): Promise<void>;
  /** Sees to it that these stand in the slot's hash. @throws TributaryError UNAVAILABLE, CORRUPT */
  register(slot: string, shapes: Iterable<Shape>): Promise<void>;
}

/** They only ever become more; a view has one for each set of features that it ever had. */
export function redisShapes(redis: RedisServers): Shapes {
  const known = new Map<number, Shape>();
  return {
    find: (id) => known.get(id),
    learn: async ({ id, message }, slots) => {
      const text = await findText(redis, shapeField(id), slots);
      if (text === undefined) throw corrupt(`${message} nor beside its records`);
      known.set(id, parseShape(id, text));
    },
    register: async (slot, shapes) => {
      const key = shapesKey(slot);
      for (const shape of shapes) {
        const field = shapeField(shape.id);
        await ask(redis, key, (server) => server.hsetnx(key, field, shapeText(shape)));
        // Another shape of the same id, once in 2^48, would be told here instead of being mistaken for this one.
        const text = await ask(redis, key, (server) => server.hget(key, field));
        if (text !== shapeText(shape))
          throw corrupt(`two shapes have the id ${field}: ${text} and ${shapeText(shape)}`);
        known.set(shape.id, shape);
      }
    },
  };
}

async function findText(redis: RedisServers, field: string, slots: readonly string[]): Promise<string | undefined> {
  const textIn = (key: string) => ask(redis, key, (server) => server.hget(key, field));
  const texts = await Promise.all(slots.map((slot) => textIn(shapesKey(slot))));
  return texts.find((text) => text !== null) ?? undefined;
}

/**
 * Does again what has met a shape that is not known here, once that is learnt. `keys`: of the records in hand.
 * @throws TributaryError UNAVAILABLE, CORRUPT, and what `act` throws
 */
export async function knowingShapes<T>(shapes: Shapes, keys: readonly string[], act: () => T): Promise<T> {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof UnknownShape)) throw error;
      await shapes.learn(error, [...new Set(keys.map(slotOf))]);
    }
  }
}
