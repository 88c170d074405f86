import { TributaryError } from "../contracts/errors.ts";
import { limits } from "../contracts/limits.ts";

/**
 * A walk over msgpack bytes that allocates nothing: one whole value, lengths inside the buffer, bounded depth and
 * number of elements, and none of the extension types, for which decoders build objects or code from input.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * Containers are counted on a small stack of "values still to come", so a bomb of headers costs nothing.
 */
const stack = new Float64Array(limits.msgpackDepthMax + 1);

/** @throws TributaryError MALFORMED, LIMIT_EXCEEDED */
export function scanMsgpack(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let depth = 0;
  let elements = 0;
  stack[0] = 1;
  while (depth >= 0) {
    if (stack[depth] === 0) {
      depth -= 1;
      continue;
    }
    stack[depth] = (stack[depth] as number) - 1;
    elements += 1;
    if (elements > limits.msgpackElementsMax) throw tooLarge(`more than ${limits.msgpackElementsMax} elements`);
    if (at >= bytes.length) throw malformed("it ends too early");
    const type = bytes[at] as number;
    const head = headerBytes(type);
    if (at + head > bytes.length) throw malformed("it ends too early");
    const children = childCount(type, view, at);
    at += head + bodyBytes(type, view, at);
    if (at > bytes.length) throw malformed("it ends too early");
    if (children === 0) continue;
    if (depth === limits.msgpackDepthMax) throw tooLarge(`nested deeper than ${limits.msgpackDepthMax}`);
    depth += 1;
    stack[depth] = children;
  }
  if (at !== bytes.length) throw malformed("bytes follow the value");
}

/** Bytes of the type byte and the length or fixed-size value behind it. */
function headerBytes(type: number): number {
  if (type < 0xc0 || type >= 0xe0) return 1;
  const size = headerSizes[type - 0xc0];
  if (size === undefined || size === 0) throw malformed("it holds an extension or reserved type");
  return size;
}

// 0xc0 … 0xdf: nil, reserved, false, true, bin8/16/32, ext8/16/32, float32/64, uint8…64, int8…64, fixext1…16, str8/16/32, array16/32, map16/32
const headerSizes = [
  1, 0, 1, 1, 2, 3, 5, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 0, 0, 0, 0, 0, 2, 3, 5, 3, 5, 3, 5,
] as const;

function bodyBytes(type: number, view: DataView, at: number): number {
  if (type >= 0xa0 && type <= 0xbf) return type & 0x1f;
  switch (type) {
    case 0xc4:
    case 0xd9:
      return view.getUint8(at + 1);
    case 0xc5:
    case 0xda:
      return view.getUint16(at + 1);
    case 0xc6:
    case 0xdb:
      return view.getUint32(at + 1);
    default:
      return 0;
  }
}

function childCount(type: number, view: DataView, at: number): number {
  if (type >= 0x80 && type <= 0x8f) return (type & 0x0f) * 2;
  if (type >= 0x90 && type <= 0x9f) return type & 0x0f;
  switch (type) {
    case 0xdc:
      return view.getUint16(at + 1);
    case 0xdd:
      return view.getUint32(at + 1);
    case 0xde:
      return view.getUint16(at + 1) * 2;
    case 0xdf:
      return view.getUint32(at + 1) * 2;
    default:
      return 0;
  }
}

function malformed(why: string): TributaryError {
  return new TributaryError("MALFORMED", `not msgpack: ${why}`);
}

function tooLarge(why: string): TributaryError {
  return new TributaryError("LIMIT_EXCEEDED", `msgpack ${why}`);
}
