import { describe, expect, it } from "vitest";
import { compileDefinitions } from "./compile.ts";
import { float64, int64, list, string, vector } from "./feature-type.ts";
import { tableSource } from "./source.ts";

const fields = { id: int64(), tags: list(string(), { nullable: true }), place: vector(3) };

describe("a table source", () => {
  it("is read from JSON files or from a query, with what its lists hold", () => {
    const orders = tableSource("orders", { format: "json", files: ["raw/orders/*.json"], fields, unique: ["id"] });
    const customers = tableSource("customers", { format: "postgres", connection: "crm", query: "select 1", fields });
    const { sources } = compileDefinitions([orders, customers]);
    const compiled = [
      { name: "id", type: "int64", nullable: false },
      { name: "tags", type: "list", nullable: true, of: "string" },
      { name: "place", type: "vector", nullable: false, dimension: 3 },
    ];
    expect(sources).toEqual({
      orders: {
        kind: "table",
        name: "orders",
        format: "json",
        files: ["raw/orders/*.json"],
        fields: compiled,
        unique: ["id"],
      },
      customers: {
        kind: "table",
        name: "customers",
        format: "postgres",
        connection: "crm",
        query: "select 1",
        fields: compiled,
      },
    });
  });

  it("tells everything that is wrong with it, and what to do", () => {
    const only = { x: float64() };
    // @ts-expect-error a query has no files
    tableSource("mixed", { format: "postgres", files: ["a"], fields: only });
    const wrong = [
      tableSource("a", { format: "csv", files: [], fields: only, unique: ["y" as "x"] }),
      tableSource("b", { format: "postgres", connection: "C-R-M", query: " ", fields: only }),
    ];
    const compiled = () => compileDefinitions(wrong);
    for (const said of [
      'tableSource "a" is unique by "y", which is not one of its fields; declare it',
      'tableSource "a" has no files; name at least one glob',
      'tableSource "b" has connection "C-R-M"; use lower-case letters',
      'tableSource "b" has an empty query; write one SELECT',
    ])
      expect(compiled).toThrow(expect.objectContaining({ message: expect.stringContaining(said) }));
  });
});
