import { TributaryError } from "@tributary/shared/contracts/errors";
import { type AnsweredColumn, type AnsweredReply, isNumberColumn } from "./number-columns.ts";
import { encodeReadReply, type ReplyForm } from "./reply-bytes.ts";

/**
 * A reply that one message carries.
 * @throws TributaryError LIMIT_EXCEEDED above `bytesMax`, saying about how many of its rows would have fitted
 */
export function encodeFittingReply(reply: AnsweredReply, form: ReplyForm, bytesMax: number): Uint8Array {
  const encoded = encodeReadReply(reply, form);
  if (encoded.length <= bytesMax) return encoded;
  const rows = rowsOf(reply.columns[0]);
  const headBytes = encodeReadReply(withoutRows(reply), form).length;
  const fitting = Math.max(0, Math.floor(((bytesMax - headBytes) * rows) / (encoded.length - headBytes)));
  const size = `read-features: a reply of ${encoded.length} bytes is above the ${bytesMax} that a message carries`;
  const advice = fitting > 0 ? `about ${fitting} of its ${rows} rows would fit` : "not even one row of it would fit";
  throw new TributaryError("LIMIT_EXCEEDED", `${size}; ${advice}: ask for fewer rows or features at a time`);
}

function rowsOf(column: AnsweredColumn | undefined): number {
  if (column === undefined) return 0;
  return isNumberColumn(column) ? column.rows : column.values.length;
}

/** What a reply costs whatever its number of rows. */
function withoutRows(reply: AnsweredReply): AnsweredReply {
  const empty = (column: AnsweredColumn) =>
    isNumberColumn(column)
      ? { ...column, rows: 0 }
      : Object.fromEntries(Object.entries(column).map(([name, value]) => [name, Array.isArray(value) ? [] : value]));
  return { ...reply, columns: reply.columns.map(empty) as unknown as readonly AnsweredColumn[] };
}
