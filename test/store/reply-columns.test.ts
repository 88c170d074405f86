import { decodeReadReply } from "@tributary/client/reply-schema";
import { encodeFittingReply } from "@tributary/online-store/core/fitting-reply";
import type { AnsweredColumn } from "@tributary/online-store/core/number-columns";
import { encodeReadReply, type ReplyForm } from "@tributary/online-store/core/reply-bytes";
import { pack, unpack } from "@tributary/shared/codec/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const head = { featureService: "s", catalogVersion: 1, epoch: "e", nowMs: 2 };
const msgpack: ReplyForm = { encoding: "msgpack", packed: false };
const packed: ReplyForm = { encoding: "msgpack", packed: true };

function numberColumn(name: string, values: readonly (number | null)[]): AnsweredColumn {
  const numbers = Float64Array.from([7, ...values.map((value) => value ?? Number.NaN), 7]);
  return { name, numbers, from: 1, rows: values.length };
}

const number = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constant(null));
const columns = fc.constantFrom(1, 31, 32, 40).chain((rows) =>
  fc.array(
    fc.oneof(
      fc.record({ values: fc.array(number, { minLength: rows, maxLength: rows }), asNumbers: fc.boolean() }),
      number.map((one) => ({ values: new Array(rows).fill(one), asNumbers: true })),
      fc
        .array(fc.oneof(fc.string(), fc.boolean(), number), { minLength: rows, maxLength: rows })
        .map((values) => ({ values, asNumbers: false })),
    ),
    { maxLength: 5 },
  ),
);

describe("the columns of a reply", () => {
  it("come to the client as they were, packed or not", () => {
    fc.assert(
      fc.property(columns, (drawn) => {
        const plain = drawn.map(({ values }, i) => ({ name: `f${i}`, values }));
        const answered = drawn.map(({ values, asNumbers }, i) =>
          asNumbers ? numberColumn(`f${i}`, values as (number | null)[]) : { name: `f${i}`, values },
        );
        for (const form of [msgpack, packed]) {
          const reply = decodeReadReply(encodeReadReply({ ...head, columns: answered }, form));
          expect(reply).toEqual({ ...head, columns: plain });
        }
      }),
    );
  });

  it("are packed only where it is welcome, and of many rows", () => {
    const shape = (rows: number, form: ReplyForm) => {
      const values = Array.from({ length: rows }, (_, i) => i);
      const answered = [numberColumn("integers", values), numberColumn("same", values.fill(0.5))];
      const { columns: found } = unpack(encodeReadReply({ ...head, columns: answered }, form)) as {
        columns: readonly object[];
      };
      return found.map((column) => Object.keys(column).join(" "));
    };
    const asLists = ["name values", "name values"];
    expect(shape(100, msgpack)).toEqual(asLists);
    expect(shape(31, packed)).toEqual(asLists);
    expect(shape(32, packed)).toEqual(["name int32", "rows name float64"]);
  });

  it("keep a zero below zero among others, and send nulls alone as one", () => {
    const zeros = Array.from({ length: 40 }, (_, row) => (row === 39 ? -0 : 0));
    const answered = [numberColumn("zeros", zeros), numberColumn("nulls", new Array(40).fill(null))];
    const bytes = encodeReadReply({ ...head, columns: answered }, packed);
    expect(decodeReadReply(bytes).columns.map(({ values }) => values)).toEqual([zeros, new Array(40).fill(null)]);
    expect(unpack(bytes)).toMatchObject({ columns: [{ name: "zeros" }, { name: "nulls", rows: 40 }] });
  });

  it("count as rows where a reply is too large", () => {
    const answered = [
      numberColumn(
        "f",
        Array.from({ length: 1_000 }, (_, i) => i / 3),
      ),
    ];
    expect(() => encodeFittingReply({ ...head, columns: answered }, packed, 4_096)).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        message: expect.stringMatching(/about 5\d\d of its 1000 rows/),
      }),
    );
  });

  it.each<[string, object]>([
    ["neither values nor numbers", { name: "f" }],
    ["numbers that are cut off", { name: "f", int32: new Uint8Array(7) }],
    ["numbers that are no bytes", { name: "f", float64: [1] }],
    ["more rows than a read has", { name: "f", float64: new Uint8Array(8), rows: 1e9 }],
  ])("are refused by the client: %s", (_what, column) => {
    const bytes = pack({ ...head, columns: [column] });
    expect(() => decodeReadReply(bytes)).toThrow(expect.objectContaining({ code: "MALFORMED" }));
  });
});
