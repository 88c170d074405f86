import { TributaryError } from "../contracts/errors.ts";

/** Reads what `ByteWriter` wrote. Every read is bounded by `end`; bytes that do not fit throw CORRUPT, never anything else. */
export class ByteReader {
  readonly bytes: Buffer;
  readonly end: number;
  position: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    this.#take(1);
    return this.bytes[this.position - 1] as number;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      if (byte < 0x80) return this.#safe(value + byte * scale);
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    }
    throw corrupt("a number is longer than 8 bytes");
  }

  signedVarint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float32(): number {
    this.#take(4);
    return this.bytes.readFloatLE(this.position - 4);
  }

  float64(): number {
    this.#take(8);
    return this.bytes.readDoubleLE(this.position - 8);
  }

  int64(): bigint {
    this.#take(8);
    return this.bytes.readBigInt64LE(this.position - 8);
  }

  uint32(): number {
    this.#take(4);
    return this.bytes.readUInt32LE(this.position - 4);
  }

  uint48(): number {
    this.#take(6);
    return this.bytes.readUIntBE(this.position - 6, 6);
  }

  /** A view of the next `size` bytes, not a copy. */
  raw(size: number): Buffer {
    this.#take(size);
    return this.bytes.subarray(this.position - size, this.position);
  }

  text(): string {
    const size = this.varint();
    this.#take(size);
    return this.bytes.toString("utf8", this.position - size, this.position);
  }

  skip(size: number): void {
    this.#take(size);
  }

  #take(size: number): void {
    if (size > this.end - this.position) throw corrupt("it ends too early");
    this.position += size;
  }

  #safe(value: number): number {
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt("a number is too large");
    return value;
  }
}

export function corrupt(why: string): TributaryError {
  return new TributaryError("CORRUPT", `a stored record cannot be read: ${why}`);
}
