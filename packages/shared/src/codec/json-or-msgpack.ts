import { TributaryError } from "../contracts/errors.ts";
import { limits } from "../contracts/limits.ts";
import { pack, unpack } from "./msgpack.ts";

export type Encoding = "json" | "msgpack";

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * JSON or msgpack, told apart by the first byte: `{`, `[`, or white space before them is JSON. (As msgpack those bytes are
 * small integers, which no message of ours is.)
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED
 */
export function decodePayload(bytes: Uint8Array): { value: unknown; encoding: Encoding } {
  if (bytes.length === 0) throw new TributaryError("MALFORMED", "the message is empty");
  if (looksLikeJson(bytes)) return { value: parseJson(bytes), encoding: "json" };
  return { value: unpack(bytes), encoding: "msgpack" };
}

export function encodePayload(value: unknown, encoding: Encoding): Uint8Array {
  return encoding === "json" ? encoder.encode(JSON.stringify(value, replacer)) : pack(value);
}

function looksLikeJson(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
  return first === 0x7b || first === 0x5b;
}

function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    throw new TributaryError("MALFORMED", `not JSON: ${bytes.length} bytes cannot be parsed`);
  }
  if (depthOf(value, 0) > limits.msgpackDepthMax)
    throw new TributaryError("LIMIT_EXCEEDED", `JSON nested deeper than ${limits.msgpackDepthMax}`);
  return value;
}

function depthOf(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null || depth > limits.msgpackDepthMax) return depth;
  let deepest = depth + 1;
  for (const child of Object.values(value)) deepest = Math.max(deepest, depthOf(child, depth + 1));
  return deepest;
}

/** int64 beyond the safe range as a decimal string, bytes as base64: JSON has neither. */
function replacer(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  const original = (this as Record<string, unknown>)[key];
  if (original instanceof Uint8Array)
    return Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString("base64");
  return value;
}
