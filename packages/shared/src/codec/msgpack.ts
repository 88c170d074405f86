import { Packr, Unpackr } from "msgpackr";
import { TributaryError } from "../contracts/errors.ts";
import { scanMsgpack } from "./msgpack-scan.ts";

const packr = new Packr({ useRecords: false, variableMapSize: true });
// "auto" (a number when safe, else a bigint) is implemented but missing from the library's types.
const unpackr = new Unpackr({ useRecords: false, int64AsType: "auto" as "number" });

/** Msgpack bytes of a plain value: no undefined, Date, Map or class instances (they would become extension types). */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * The value of one whole msgpack message from an untrusted sender.
 * The bytes are scanned before they are decoded: structure, depth, number of elements, no extension types.
 * The decoder's own messages are dropped, because they may quote the payload.
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED
 */
export function unpack(bytes: Uint8Array): unknown {
  scanMsgpack(bytes);
  return unpackOwn(bytes);
}

/**
 * The same of a message that one of our own services made: a client that believes what a reply says may believe its form.
 * @throws TributaryError MALFORMED
 */
export function unpackOwn(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes);
  } catch {
    throw new TributaryError("MALFORMED", `msgpack of ${bytes.length} bytes cannot be decoded`);
  }
}
