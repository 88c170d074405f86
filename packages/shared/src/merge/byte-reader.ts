import { TributaryError } from "../contracts/errors.ts";

/** Reads what `ByteWriter` wrote. Every read is bounded by `end`; bytes that do not fit throw CORRUPT, never anything else. */
export class ByteReader {
  readonly bytes: Buffer;
  /** Where reading ends: of all the bytes, or of a part that `narrow` names. */
  end: number;
  position: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /** The next byte, which stays the next; undefined: there is none. */
  get next(): number | undefined {
    return this.position < this.end ? this.bytes[this.position] : undefined;
  }

  byte(): number {
    if (this.position >= this.end) throw corrupt("it ends too early");
    return this.bytes[this.position++] as number;
  }

  varint(): number {
    const { bytes, end } = this;
    let at = this.position;
    // Bytes beyond the end are told by `at` below; until then they only make a wrong number.
    let byte = bytes[at++] as number;
    let value = byte & 0x7f;
    // In 32-bit arithmetic as far as it goes: most numbers end there.
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 0x7f) << shift;
    }
    for (let scale = 2 ** 28; byte >= 0x80; scale *= 0x80) {
      if (scale > 2 ** 49) throw corrupt("a number is longer than 8 bytes");
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
    }
    if (at > end) throw corrupt("it ends too early");
    this.position = at;
    return value <= Number.MAX_SAFE_INTEGER ? value : this.#tooLarge();
  }

  /** Passes over a varint without working out what it says. */
  skipVarint(): void {
    const start = this.position;
    let at = start;
    while ((this.bytes[at++] as number) >= 0x80 && at - start < 8);
    this.#take(at - start);
  }

  signedVarint(): number {
    const value = this.varint();
    // Times do not fit into 32 bits, and beyond those a remainder is slow.
    const half = Math.floor(value / 2);
    return half * 2 === value ? half : -1 - half;
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

  uint24(): number {
    this.#take(3);
    const { bytes, position } = this;
    return (
      ((bytes[position - 3] as number) << 16) | ((bytes[position - 2] as number) << 8) | (bytes[position - 1] as number)
    );
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

  /** The same as a plain Uint8Array. */
  bytesView(size: number): Uint8Array {
    this.#take(size);
    const { buffer, byteOffset } = this.bytes;
    return new Uint8Array(buffer, byteOffset + this.position - size, size);
  }

  text(): string {
    const size = this.varint();
    this.#take(size);
    return this.bytes.toString("utf8", this.position - size, this.position);
  }

  skip(size: number): void {
    this.#take(size);
  }

  /** Reads as if nothing came behind the next `size` bytes, until `end` is set to what this returns. */
  narrow(size: number): number {
    const { end } = this;
    if (size > end - this.position) throw corrupt("it ends too early");
    this.end = this.position + size;
    return end;
  }

  #take(size: number): void {
    if (size > this.end - this.position) throw corrupt("it ends too early");
    this.position += size;
  }

  #tooLarge(): never {
    throw corrupt("a number is too large");
  }
}

export function corrupt(why: string): TributaryError {
  return new TributaryError("CORRUPT", `a stored record cannot be read: ${why}`);
}
