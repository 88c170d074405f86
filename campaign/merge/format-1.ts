import { crc32 } from "node:zlib";
import { writeVersion } from "@tributary/online-store/core/section";
import type { Version } from "@tributary/shared/contracts/version";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Cell } from "@tributary/shared/merge/cell";
import { writeValue } from "@tributary/shared/merge/cell-value";

export interface Format1Section {
  readonly view: string;
  readonly viewVersion: number;
  readonly cells: readonly Cell[];
}

/** A record as the first format had it (services/online-store/src/core/record-format-1.ts), which no store writes any more. */
export function encodeFormat1(
  sections: readonly Format1Section[],
  erasure: Version | undefined,
  nonce: Uint8Array,
): Buffer {
  const body = new ByteWriter();
  body.byte(erasure === undefined ? 0 : 1);
  if (erasure !== undefined) writeVersion(body, erasure);
  for (const { view, viewVersion, cells } of sections) {
    body.text(`${view}\0${viewVersion}`);
    withLength(body, (writer) => writeCells(writer, cells));
  }
  const bytes = Buffer.concat([Buffer.from([1]), nonce, Buffer.alloc(4), body.copy()]);
  bytes.writeUInt32LE(crc32(bytes.subarray(13)), 9);
  return bytes;
}

function withLength(writer: ByteWriter, write: (inner: ByteWriter) => void): void {
  const inner = new ByteWriter();
  write(inner);
  writer.varint(inner.length);
  writer.raw(inner.copy());
}

/** Every cell a group of its own: that, too, is how the first format could be. */
function writeCells(writer: ByteWriter, cells: readonly Cell[]): void {
  const names = [...new Set(cells.map((cell) => cell.feature))].sort();
  withLength(writer, (dictionary) => {
    for (const name of names) dictionary.text(name);
  });
  for (const cell of cells) writeGroup(writer, cell, names.indexOf(cell.feature));
}

function writeGroup(writer: ByteWriter, { version, value, schedule }: Cell, name: number): void {
  writer.byte(schedule === undefined ? 0 : 1);
  writeVersion(writer, version);
  const changes = schedule?.changes ?? [];
  if (schedule !== undefined) {
    writer.signedVarint(schedule.untilMs - version.eventTime);
    writer.varint(changes.length);
    for (const [i, { atMs }] of changes.entries())
      writer.signedVarint(atMs - (changes[i - 1]?.atMs ?? version.eventTime));
  }
  writer.varint(1);
  writer.varint(name);
  writeValue(writer, value);
  if (schedule === undefined) return;
  writer.varint(changes.length);
  for (const [i, change] of changes.entries()) {
    writer.varint(i);
    writeValue(writer, change.value);
  }
}
