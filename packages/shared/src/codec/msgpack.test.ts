import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack, unpack } from "./msgpack.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true }).filter((x) => !Object.is(x, -0)),
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array().map((raw) => Buffer.from(raw)),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("value"),
      { noNullPrototype: true },
    ),
  ),
})).value;

describe("unpack", () => {
  it("gives back what was packed", () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(unpack(pack(value))).toEqual(value);
      }),
    );
  });

  it.each([
    ["nothing", bytes()],
    ["a reserved type", bytes(0xc1)],
    ["an extension type", bytes(0xd4, 0x72, 0x40)],
    ["an extension inside an array", bytes(0x91, 0xc7, 0x01, 0x05, 0x00)],
    ["a header bomb of an array", bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ["a header bomb of a map", bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ["a string that is cut", bytes(0xa5, 0x61)],
    ["a length that is cut", bytes(0xdb, 0x00, 0x00)],
    ["bytes behind the value", bytes(0xc0, 0xc0)],
  ])("refuses %s", (_what, message) => {
    expect(() => unpack(message)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });

  it("refuses nesting deeper than the limit", () => {
    const deep = new Uint8Array(100_000).fill(0x91);
    expect(() => unpack(deep)).toThrow(expect.objectContaining({ code: "LIMIT_EXCEEDED" }));
  });

  it("never crashes, hangs or pollutes prototypes on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        try {
          unpack(message);
        } catch (error) {
          expect(error).toMatchObject({ name: "TributaryError" });
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 20_000 },
    );
  });

  it("does not quote the payload in an error", () => {
    const message = Buffer.concat([pack("a secret"), bytes(0xc0)]);
    expect(() => unpack(message)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });
});
