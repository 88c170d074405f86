import type { Encoding } from "@tributary/shared/codec/json-or-msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadColumn, ReadReply } from "@tributary/shared/contracts/read";
import { encodeReadReply } from "./reply-bytes.ts";

/**
 * A reply that one message carries.
 * @throws TributaryError LIMIT_EXCEEDED above `bytesMax`, saying about how many of its rows would have fitted
 */
export function encodeFittingReply(reply: ReadReply, encoding: Encoding, bytesMax: number): Uint8Array {
  const encoded = encodeReadReply(reply, encoding);
  if (encoded.length <= bytesMax) return encoded;
  const rows = reply.columns[0]?.values.length ?? 0;
  const headBytes = encodeReadReply(withoutRows(reply), encoding).length;
  const fitting = Math.max(0, Math.floor(((bytesMax - headBytes) * rows) / (encoded.length - headBytes)));
  const size = `read-features: a reply of ${encoded.length} bytes is above the ${bytesMax} that a message carries`;
  const advice = fitting > 0 ? `about ${fitting} of its ${rows} rows would fit` : "not even one row of it would fit";
  throw new TributaryError("LIMIT_EXCEEDED", `${size}; ${advice}: ask for fewer rows or features at a time`);
}

/** What a reply costs whatever its number of rows. */
function withoutRows(reply: ReadReply): ReadReply {
  const empty = (column: ReadColumn) =>
    Object.fromEntries(Object.entries(column).map(([name, value]) => [name, Array.isArray(value) ? [] : value]));
  return { ...reply, columns: reply.columns.map(empty) as unknown as readonly ReadColumn[] };
}
