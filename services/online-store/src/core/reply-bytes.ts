import { type Encoding, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { MsgpackWriter } from "@tributary/shared/codec/msgpack-writer";
import type { ReadColumn, ReadReply } from "@tributary/shared/contracts/read";

const writer = new MsgpackWriter();

/** A reply in the encoding of its request. */
export function encodeReadReply(reply: ReadReply, encoding: Encoding): Uint8Array {
  if (encoding !== "msgpack") return encodePayload(reply, encoding);
  const { columns, ...head } = reply;
  const fields = Object.entries(head);
  writer.map(fields.length + 1);
  for (const [name, value] of fields) {
    writer.text(name);
    writer.value(value);
  }
  writer.text("columns");
  writer.list(columns.length);
  for (const column of columns) writeColumn(column);
  return writer.finish();
}

function writeColumn(column: ReadColumn): void {
  const fields = Object.entries(column);
  writer.map(fields.length);
  for (const [name, value] of fields) {
    writer.text(name);
    if (Array.isArray(value)) writer.values(value);
    else writer.value(value);
  }
}
