import { pack, unpack } from "../codec/msgpack.ts";
import { TributaryError } from "../contracts/errors.ts";
import { type EventIds, emptyIds, idBytes } from "./event-ids.ts";
import type { KeyState, RecentEvent, Tile } from "./key-state.ts";
import { partials } from "./partial-state.ts";
import type { WindowLayout } from "./window-layout.ts";

/**
 * A key's state as bytes, for storage: msgpack [version, layout fingerprint, greatest event time, tiles, recent events, ids].
 * A tile is [start / hop, state, …], a recent event [time, value, …]. Ids are [event times, each after the first as the
 * distance from the one before; the ids, twelve bytes each].
 *
 * Format history
 *   1  first form, without ids; still written while a key has none
 *   2  with ids
 */
const versions = { plain: 1, withIds: 2 } as const;

export function encodeKeyState(layout: WindowLayout, state: KeyState): Uint8Array {
  const tiles = state.tiles.map((tile) => [
    tile.startMs / layout.hopMs,
    ...layout.slots.map((slot, i) => partials[slot.kind].encode(tile.states[i] ?? null)),
  ]);
  const recent = state.recent.map((event) => [event.timeMs, ...event.values]);
  const greatest = Number.isFinite(state.greatestEventMs) ? state.greatestEventMs : null;
  const parts = [layout.fingerprint, greatest, tiles, recent];
  const { ids } = state;
  if (ids === undefined || ids.order.length === 0) return pack([versions.plain, ...parts]);
  return pack([versions.withIds, ...parts, encodeIds(ids)]);
}

/**
 * The inverse.
 * @throws TributaryError UNSUPPORTED_FORMAT of another version, CORRUPT when the bytes are damaged or of another layout
 */
export function decodeKeyState(layout: WindowLayout, bytes: Uint8Array): KeyState {
  const value = unpack(bytes);
  if (!Array.isArray(value)) throw corrupt("not a list");
  const [version, fingerprint, greatest, tiles, recent, ids] = value;
  if (version !== versions.plain && version !== versions.withIds)
    throw new TributaryError(
      "UNSUPPORTED_FORMAT",
      `window state version ${String(version)} is not known to this build`,
    );
  if (fingerprint !== layout.fingerprint) throw corrupt("it was written for other aggregations");
  if (!Array.isArray(tiles) || !Array.isArray(recent)) throw corrupt("tiles are missing");
  try {
    return {
      greatestEventMs: typeof greatest === "number" ? greatest : Number.NEGATIVE_INFINITY,
      tiles: tiles.map((tile) => decodeTile(layout, tile)),
      recent: recent.map(decodeRecent),
      ...(version === versions.withIds && { ids: decodeIds(ids) }),
    };
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}

function decodeTile(layout: WindowLayout, plain: unknown): Tile {
  if (!Array.isArray(plain) || plain.length !== layout.slots.length + 1) throw new Error("a tile is incomplete");
  return {
    startMs: Number(plain[0]) * layout.hopMs,
    states: layout.slots.map((slot, i) => partials[slot.kind].decode(plain[i + 1])),
  };
}

function decodeRecent(plain: unknown): RecentEvent {
  if (!Array.isArray(plain)) throw new Error("an event is incomplete");
  const [timeMs, ...values] = plain;
  return { timeMs: Number(timeMs), values: values.map((value) => (typeof value === "number" ? value : null)) };
}

function encodeIds({ order }: EventIds): unknown {
  const times = order.map(({ timeMs }, i) => timeMs - (order[i - 1]?.timeMs ?? 0));
  return [times, Buffer.concat(order.map(({ id }) => Buffer.from(id, "base64url")))];
}

function decodeIds(plain: unknown): EventIds {
  const [times, bytes] = Array.isArray(plain) ? plain : [];
  if (!Array.isArray(times) || !(bytes instanceof Uint8Array) || bytes.length !== times.length * idBytes)
    throw new Error("ids are incomplete");
  const ids = emptyIds();
  let timeMs = 0;
  times.forEach((step, i) => {
    timeMs += Number(step);
    const id = Buffer.from(bytes.subarray(i * idBytes, (i + 1) * idBytes)).toString("base64url");
    ids.order.push({ id, timeMs });
    ids.known.set(id, timeMs);
  });
  return ids;
}

function corrupt(why: string): TributaryError {
  return new TributaryError("CORRUPT", `window state cannot be read: ${why}`);
}
