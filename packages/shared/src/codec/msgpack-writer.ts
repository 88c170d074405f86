import { pack } from "./msgpack.ts";

/**
 * Writes msgpack piece by piece, for messages that are mostly long lists of small values: lists of integers take half
 * of what the library's encoder takes. Bigints and maps go to the library. Integers take their shortest form, other numbers float64,
 * as with the library.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export class MsgpackWriter {
  #bytes = Buffer.allocUnsafe(firstBytes);
  #view = viewOf(this.#bytes);
  #at = 0;

  map(entries: number): void {
    this.#head(entries, mapHeads);
  }

  list(items: number): void {
    this.#head(items, listHeads);
  }

  value(value: unknown): void {
    if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.text(value);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (value === null) this.#byte(0xc0);
    else if (value instanceof Uint8Array) this.bytes(value);
    else if (Array.isArray(value)) this.values(value);
    else this.written(pack(value));
  }

  /** A list of values. */
  values(values: readonly unknown[]): void {
    this.list(values.length);
    for (const value of values) this.value(value);
  }

  number(value: number): void {
    this.#reserve(numberBytesMax);
    if ((value | 0) === value && !Object.is(value, -0)) this.#int32(value);
    else {
      this.#bytes[this.#at] = 0xcb;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    }
  }

  text(text: string): void {
    const { length } = text;
    if (length > asciiLengthMax || !this.#shortAscii(text)) {
      const size = Buffer.byteLength(text);
      this.#head(size, textHeads);
      this.#reserve(size);
      this.#at += this.#bytes.write(text, this.#at, "utf8");
    }
  }

  bytes(bytes: Uint8Array): void {
    this.#head(bytes.length, bytesHeads);
    this.written(bytes);
  }

  /** What is msgpack already. */
  written(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What was written, as bytes of their own; the writer is empty then. */
  finish(): Uint8Array {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    if (this.#bytes.length > keptBytesMax) this.#into(Buffer.allocUnsafe(firstBytes));
    return bytes;
  }

  /** False, and nothing written, where the text is not ASCII. */
  #shortAscii(text: string): boolean {
    this.#reserve(1 + asciiLengthMax);
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[start + i] = code;
    }
    bytes[this.#at] = 0xa0 | text.length;
    this.#at = start + text.length;
    return true;
  }

  #int32(value: number): void {
    if (value >= 0) {
      if (value < 0x80) this.#bytes[this.#at++] = value;
      else if (value < 0x100) this.#sized8(0xcc, value);
      else if (value < 0x10000) this.#sized16(0xcd, value);
      else this.#sized32(0xce, value);
    } else if (value >= -0x20) this.#bytes[this.#at++] = value;
    else if (value >= -0x80) this.#sized8(0xd0, value);
    else if (value >= -0x8000) this.#sized16(0xd1, value);
    else this.#sized32(0xd2, value);
  }

  #head(count: number, { fix, fixMax, size8, size16, size32 }: Heads): void {
    this.#reserve(numberBytesMax);
    if (count <= fixMax) this.#bytes[this.#at++] = fix | count;
    else if (count <= 0xff && size8 !== undefined) this.#sized8(size8, count);
    else if (count <= 0xffff) this.#sized16(size16, count);
    else this.#sized32(size32, count);
  }

  #sized8(head: number, value: number): void {
    this.#bytes[this.#at] = head;
    this.#bytes[this.#at + 1] = value;
    this.#at += 2;
  }

  #sized16(head: number, value: number): void {
    this.#bytes[this.#at] = head;
    this.#bytes[this.#at + 1] = value >>> 8;
    this.#bytes[this.#at + 2] = value;
    this.#at += 3;
  }

  #sized32(head: number, value: number): void {
    this.#bytes[this.#at] = head;
    this.#bytes[this.#at + 1] = value >>> 24;
    this.#bytes[this.#at + 2] = value >>> 16;
    this.#bytes[this.#at + 3] = value >>> 8;
    this.#bytes[this.#at + 4] = value;
    this.#at += 5;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#into(larger);
  }

  #into(bytes: Buffer<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/** It writes a float64 in a fraction of the time that Buffer takes. */
function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

interface Heads {
  /** Of the shortest form, where there is one. */
  readonly fix: number;
  readonly fixMax: number;
  readonly size8?: number;
  readonly size16: number;
  readonly size32: number;
}

const mapHeads: Heads = { fix: 0x80, fixMax: 15, size16: 0xde, size32: 0xdf };
const listHeads: Heads = { fix: 0x90, fixMax: 15, size16: 0xdc, size32: 0xdd };
const textHeads: Heads = { fix: 0xa0, fixMax: 31, size8: 0xd9, size16: 0xda, size32: 0xdb };
const bytesHeads: Heads = { fix: 0, fixMax: -1, size8: 0xc4, size16: 0xc5, size32: 0xc6 };

const numberBytesMax = 9;
const asciiLengthMax = 31;
const firstBytes = 64 * 1024;
const keptBytesMax = 1024 * 1024;
