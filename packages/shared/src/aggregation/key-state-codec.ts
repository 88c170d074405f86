import { pack, unpack } from "../codec/msgpack.ts";
import { TributaryError } from "../contracts/errors.ts";
import type { KeyState, RecentEvent, Tile } from "./key-state.ts";
import { partials } from "./partial-state.ts";
import type { WindowLayout } from "./window-layout.ts";

/**
 * A key's state as bytes, for storage: msgpack [version, layout fingerprint, greatest event time, tiles, recent events].
 * A tile is [start / hop, state, …], a recent event [time, value, …].
 *
 * Format history
 *   1  first form
 */
const codecVersion = 1;

export function encodeKeyState(layout: WindowLayout, state: KeyState): Uint8Array {
  const tiles = state.tiles.map((tile) => [
    tile.startMs / layout.hopMs,
    ...layout.slots.map((slot, i) => partials[slot.kind].encode(tile.states[i] ?? null)),
  ]);
  const recent = state.recent.map((event) => [event.timeMs, ...event.values]);
  const greatest = Number.isFinite(state.greatestEventMs) ? state.greatestEventMs : null;
  return pack([codecVersion, layout.fingerprint, greatest, tiles, recent]);
}

/**
 * The inverse.
 * @throws TributaryError UNSUPPORTED_FORMAT of another version, CORRUPT when the bytes are damaged or of another layout
 */
export function decodeKeyState(layout: WindowLayout, bytes: Uint8Array): KeyState {
  const value = unpack(bytes);
  if (!Array.isArray(value)) throw corrupt("not a list");
  const [version, fingerprint, greatest, tiles, recent] = value;
  if (version !== codecVersion)
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

function corrupt(why: string): TributaryError {
  return new TributaryError("CORRUPT", `window state cannot be read: ${why}`);
}
