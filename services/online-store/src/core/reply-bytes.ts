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
  if (column.statuses === undefined) {
    writer.written(plainHead(column.name));
    writer.values(column.values);
    return;
  }
  const fields = Object.entries(column);
  writer.map(fields.length);
  for (const [name, value] of fields) {
    writer.text(name);
    if (Array.isArray(value)) writer.values(value);
    else writer.value(value);
  }
}

/** By a column's name: all but the values of one without detail, which of a small reply is most of the work. */
const plainHeads = new Map<string, Uint8Array>();
/** Names of columns that a process serves; beyond that it begins anew. */
const plainHeadsMax = 10_000;
const headWriter = new MsgpackWriter();

function plainHead(name: string): Uint8Array {
  const known = plainHeads.get(name);
  if (known !== undefined) return known;
  headWriter.map(2);
  headWriter.text("name");
  headWriter.text(name);
  headWriter.text("values");
  const head = headWriter.finish();
  if (plainHeads.size >= plainHeadsMax) plainHeads.clear();
  plainHeads.set(name, head);
  return head;
}
