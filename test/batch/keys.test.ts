import type { Entity } from "@tributary/shared/contracts/catalog";
import { encodeEntityKey, partitionOf } from "@tributary/shared/contracts/entity-key";
import type { KeyType } from "@tributary/shared/contracts/feature";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../services/batch-runner/src/core/engine.ts";
import { keyExpression, keyRefusals } from "../../services/batch-runner/src/core/key-sql.ts";
import { literal } from "../../services/batch-runner/src/core/sql-text.ts";
import { reason } from "../../services/batch-runner/src/core/typed-rows.ts";
import { rowsOf, useEngine } from "./engine-fixture.ts";

/** Key → partition of 32, the same in every language. */
const golden: readonly (readonly [string, number])[] = [
  ["a", 19],
  ["foobar", 28],
  ["user-42", 22],
  ["ü-7", 18],
  ["ORD", 17],
  ["ORD\u001fLAX", 31],
  ["日本", 31],
  ["🛫", 8],
  ["x".repeat(512), 29],
];

describe("entity keys in SQL", () => {
  const { engine } = useEngine();

  it("gives the golden keys the partitions of the contracts", async () => {
    for (const [key, partition] of golden) {
      expect(await rowsOf(engine(), `SELECT trib_partition(${literal(key)}, 32)`)).toEqual([[partition]]);
    }
  });

  it("agrees with the contracts on the partition of any key and any number of partitions", async () => {
    const keys = fc.sample(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), {
      numRuns: 600,
      seed: 20_260_301,
    });
    const usable = keys.filter((key) => !key.includes("\u0000"));
    for (const partitions of [1, 7, 32, 100]) {
      const values = usable.map((key, i) => `(${i}, ${literal(key)})`).join(", ");
      const query = `SELECT trib_partition(k, ${partitions}) FROM (VALUES ${values}) t(i, k) ORDER BY i`;
      const actual = (await rowsOf(engine(), query)).map(([partition]) => partition);
      expect(actual).toEqual(usable.map((key) => partitionOf(key, partitions)));
    }
  });

  it("takes and refuses the same text keys as the contracts", async () => {
    const texts = fc.sample(
      fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 30 }),
        fc.constantFrom("", "a\u001fb", "tab\t", "\u007f", "0", "-0", "007", "12", "-12", "9223372036854775807"),
        fc.uuid(),
        fc.uuid().map((id) => id.toUpperCase()),
        fc.constantFrom("x".repeat(512), "x".repeat(513), "é".repeat(256), "é".repeat(257)),
      ),
      { numRuns: 250, seed: 7 },
    );
    for (const type of ["string", "int64", "uuid"] as const) {
      for (const text of texts) {
        const expected = tryEncode(type, { id: text });
        expect(await encodeInSql(engine(), type, `${literal(text)}::VARCHAR`, "VARCHAR"), `${type} ${text}`).toEqual(
          expected,
        );
      }
    }
  });

  it.each([
    ["BIGINT", "-9223372036854775808", "-9223372036854775808"],
    ["INTEGER", "42", "42"],
    ["DOUBLE", "42", "42"],
    ["DOUBLE", "42.5", undefined],
    ["HUGEINT", "99999999999999999999", undefined],
  ])("reads an int64 key from a %s column: %s", async (type, written, expected) => {
    expect(await encodeInSql(engine(), "int64", `'${written}'::${type}`, type)).toBe(expected);
  });

  it("joins several keys in declared order", async () => {
    const entity: Entity = {
      name: "route",
      keys: [
        { name: "b", type: "string" },
        { name: "a", type: "int64" },
      ],
    };
    const columns = (name: string) => ({ column: name, type: name === "a" ? "BIGINT" : "VARCHAR" });
    const query = `SELECT ${keyExpression(entity, columns)} FROM (SELECT 5::BIGINT AS a, 'x' AS b)`;
    expect(await rowsOf(engine(), query)).toEqual([[encodeEntityKey(entity, { a: 5, b: "x" })]]);
  });
});

async function encodeInSql(engine: Engine, type: KeyType, value: string, actual: string): Promise<unknown> {
  const entity: Entity = { name: "thing", keys: [{ name: "id", type }] };
  const columns = () => ({ column: "v", type: actual });
  const query = `SELECT ${reason(keyRefusals(entity, columns))}, ${keyExpression(entity, columns)} FROM (SELECT ${value} AS v)`;
  const [refused, key] = (await rowsOf(engine, query))[0] as [string | null, string];
  return refused === null ? key : undefined;
}

function tryEncode(type: KeyType, values: Record<string, unknown>): string | undefined {
  try {
    return encodeEntityKey({ name: "thing", keys: [{ name: "id", type }] }, values);
  } catch {
    return undefined;
  }
}
