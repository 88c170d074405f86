import { TributaryError } from "../contracts/errors.ts";

/**
 * Numbers and nulls as bytes of one size, least byte first, instead of a msgpack value each: a column of a large reply is then
 * copied rather than encoded and decoded.
 *
 *   int32    every number is an integer above −2³¹, which stands for null
 *   float64  NaN stands for null
 */
export type PackedType = "int32" | "float64";

export interface PackedNumbers {
  readonly type: PackedType;
  readonly bytes: Uint8Array;
}

const nullInt32 = -(2 ** 31);
const bytesOf = { int32: 4, float64: 8 } as const;

/**
 * Those of `numbers` from `from` on, `count` of them; NaN stands for null.
 * The bytes are good until the next call.
 */
export function packNumbers(numbers: Float64Array, from: number, count: number): PackedNumbers {
  const scratch = scratchOf(count * bytesOf.float64);
  for (let i = 0; i < count; i++) {
    const number = numbers[from + i] as number;
    const integer = number | 0;
    if (integer === number && integer !== nullInt32 && (integer !== 0 || !Object.is(number, -0)))
      scratch.setInt32(i * bytesOf.int32, integer, true);
    else if (Number.isNaN(number)) scratch.setInt32(i * bytesOf.int32, nullInt32, true);
    else return packFloats(scratch, numbers, { from, count });
  }
  return { type: "int32", bytes: part(scratch, count * bytesOf.int32) };
}

function packFloats(
  scratch: DataView,
  numbers: Float64Array,
  { from, count }: { readonly from: number; readonly count: number },
): PackedNumbers {
  for (let i = 0; i < count; i++) scratch.setFloat64(i * bytesOf.float64, numbers[from + i] as number, true);
  return { type: "float64", bytes: part(scratch, count * bytesOf.float64) };
}

/** @throws TributaryError MALFORMED when the bytes are no whole numbers of the type */
export function unpackNumbers({ type, bytes }: PackedNumbers): (number | null)[] {
  if (bytes.length % bytesOf[type] !== 0)
    throw new TributaryError("MALFORMED", `${bytes.length} bytes are no packed ${type} numbers`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return type === "int32" ? unpackIntegers(view) : unpackFloats(view);
}

function unpackIntegers(view: DataView): (number | null)[] {
  const numbers: (number | null)[] = new Array(view.byteLength / bytesOf.int32);
  for (let i = 0; i < numbers.length; i++) {
    const number = view.getInt32(i * bytesOf.int32, true);
    numbers[i] = number === nullInt32 ? null : number;
  }
  return numbers;
}

function unpackFloats(view: DataView): (number | null)[] {
  const numbers: (number | null)[] = new Array(view.byteLength / bytesOf.float64);
  for (let i = 0; i < numbers.length; i++) {
    const number = view.getFloat64(i * bytesOf.float64, true);
    numbers[i] = Number.isNaN(number) ? null : number;
  }
  return numbers;
}

let kept = new DataView(new ArrayBuffer(64 * 1024));

function scratchOf(bytes: number): DataView {
  if (kept.byteLength < bytes) kept = new DataView(new ArrayBuffer(2 * bytes));
  return kept;
}

function part({ buffer }: DataView, length: number): Uint8Array {
  return new Uint8Array(buffer, 0, length);
}
