import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, unpack } from "./msgpack.ts";
import { MsgpackWriter } from "./msgpack-writer.ts";

const writer = new MsgpackWriter();

function bytesOf(write: (writer: MsgpackWriter) => unknown): string {
  write(writer);
  return Buffer.from(writer.finish()).toString("hex");
}

const scalar = fc.oneof(
  fc.integer(),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.integer({ min: -300, max: 300 }),
  fc.double(),
  fc.constantFrom(-0, 0, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.string({ unit: "binary", maxLength: 70 }),
  fc.string({ maxLength: 40 }),
  fc.boolean(),
  fc.constant(null),
);
const inner = scalar.map((one) => (Object.is(one, -0) ? 0 : one));
const value = fc.oneof(
  { weight: 8, arbitrary: scalar },
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 300, size: "max" }).map((bytes) => new Uint8Array(bytes)),
  fc.array(inner, { maxLength: 20 }),
  fc.dictionary(fc.string({ maxLength: 5 }), inner, { noNullPrototype: true }),
);

describe("msgpack writer", () => {
  it("is read as what the library's encoder writes", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => {
        writer.values(values);
        // The library loses the sign of −0.
        expect(unpack(writer.finish())).toEqual(
          values.map((one) => (typeof one === "number" ? one : unpack(pack(one)))),
        );
      }),
    );
  });

  it.each([
    ["a natural number", (w: MsgpackWriter) => w.value(127), "7f"],
    ["one of a byte", (w: MsgpackWriter) => w.value(200), "ccc8"],
    ["one of two", (w: MsgpackWriter) => w.value(0x1234), "cd1234"],
    ["one of four", (w: MsgpackWriter) => w.value(0x12345678), "ce12345678"],
    ["negative ones", (w: MsgpackWriter) => w.values([-1, -33, -129, -32_769]), "94ffd0dfd1ff7fd2ffff7fff"],
    ["a fraction", (w: MsgpackWriter) => w.value(0.5), "cb3fe0000000000000"],
    ["text", (w: MsgpackWriter) => w.value("ORD"), "a34f5244"],
    ["text that is not ASCII", (w: MsgpackWriter) => w.value("ü"), "a2c3bc"],
    ["long text", (w: MsgpackWriter) => w.value("x".repeat(32)), `d920${"78".repeat(32)}`],
    ["bytes", (w: MsgpackWriter) => w.value(Uint8Array.of(7, 8)), "c4020708"],
    ["many bytes", (w: MsgpackWriter) => w.value(new Uint8Array(256)), `c50100${"00".repeat(256)}`],
    ["lists in lists", (w: MsgpackWriter) => w.values([[1, [null]], []]), "9292 0191c0 90".replaceAll(" ", "")],
    ["truth and nothing", (w: MsgpackWriter) => w.values([true, false, null]), "93c3c2c0"],
    ["heads of maps and lists", (w: MsgpackWriter) => [w.map(2), w.list(16)], "82dc0010"],
  ])("writes %s in the shortest form", (_what, write, hex) => {
    expect(bytesOf(write)).toBe(hex);
  });

  it("keeps what it gave away, and grows", () => {
    const text = "y".repeat(100_000);
    writer.text(text);
    const first = writer.finish();
    writer.text("z".repeat(100_000));
    writer.finish();
    expect(unpack(first)).toBe(text);
  });
});
