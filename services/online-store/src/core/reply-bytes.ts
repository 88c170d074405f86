import { type Encoding, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { MsgpackWriter } from "@tributary/shared/codec/msgpack-writer";
import { type PackedType, packNumbers } from "@tributary/shared/codec/packed-numbers";
import type { ReadColumn } from "@tributary/shared/contracts/read";
import { type AnsweredReply, isNumberColumn, type NumberColumn } from "./number-columns.ts";

/** How a request wants its reply. */
export interface ReplyForm {
  readonly encoding: Encoding;
  /** Whether msgpack may have packed columns. */
  readonly packed: boolean;
}

const writer = new MsgpackWriter();
/** Below it a list of msgpack numbers takes less time to write and to read. */
const packedRowsMin = 32;

/** A reply as bytes; number columns are for msgpack only. */
export function encodeReadReply(reply: AnsweredReply, { encoding, packed }: ReplyForm): Uint8Array {
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
  for (const column of columns) {
    if (!isNumberColumn(column)) writeColumn(column);
    else if (packed && column.rows >= packedRowsMin) writePacked(column);
    else writeNumbers(column);
  }
  return writer.finish();
}

function writeColumn(column: ReadColumn): void {
  if (column.statuses === undefined) {
    writer.written(columnHead("values", column.name));
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

function writeNumbers({ name, numbers, from, rows }: NumberColumn): void {
  writer.written(columnHead("values", name));
  writer.list(rows);
  for (let at = from; at < from + rows; at++) {
    const number = numbers[at] as number;
    if (Number.isNaN(number)) writer.value(null);
    else writer.number(number);
  }
}

function writePacked(column: NumberColumn): void {
  const { name, numbers, from, rows } = column;
  const isOne = isOneNumber(column);
  const { type, bytes } = packNumbers(numbers, from, isOne ? 1 : rows);
  if (isOne) {
    writer.map(3);
    writer.text("rows");
    writer.number(rows);
    writer.text("name");
    writer.text(name);
    writer.text(type);
  } else writer.written(columnHead(type, name));
  writer.bytes(bytes);
}

/** As what all candidates of a read have in common is. */
function isOneNumber({ numbers, from, rows }: NumberColumn): boolean {
  const first = numbers[from];
  for (let at = from + 1; at < from + rows; at++) if (!Object.is(numbers[at], first)) return false;
  return true;
}

/** By a column's name: all but the values of one without detail, which of a small reply is most of the work. */
const columnHeads: Readonly<Record<"values" | PackedType, Map<string, Uint8Array>>> = {
  values: new Map(),
  int32: new Map(),
  float64: new Map(),
};
/** Names of columns that a process serves; beyond that it begins anew. */
const columnHeadsMax = 10_000;
const headWriter = new MsgpackWriter();

function columnHead(field: "values" | PackedType, name: string): Uint8Array {
  const heads = columnHeads[field];
  const known = heads.get(name);
  if (known !== undefined) return known;
  headWriter.map(2);
  headWriter.text("name");
  headWriter.text(name);
  headWriter.text(field);
  const head = headWriter.finish();
  if (heads.size >= columnHeadsMax) heads.clear();
  heads.set(name, head);
  return head;
}
