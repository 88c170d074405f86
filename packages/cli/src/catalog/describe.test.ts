import type { Catalog } from "@tributary/shared/contracts/catalog";
import { expect, it } from "vitest";
import { checksOf, describeFeatureService, typeOf } from "./describe.ts";

it("says types and checks as a person writes them", () => {
  expect(typeOf({ type: "vector", dimension: 3 })).toBe("vector(3)");
  expect(typeOf({ type: "list", of: "string" })).toBe("list<string>");
  expect(checksOf({ name: "score", type: "float64", min: 0, max: 1, default: 0.5 })).toBe("≥ 0; ≤ 1; default 0.5");
});

it("says which layers stand over a column", () => {
  const over = [
    { view: "ops", feature: "delay" },
    { view: "tower", feature: "delay" },
  ];
  const columns = [{ name: "delay", view: "profile", feature: "delay", keys: { code: "origin" }, over }];
  const service = { name: "boarding", requestKeys: [{ name: "origin", type: "string" as const }], columns };
  const catalog = { views: {}, entities: {} } as unknown as Catalog;
  expect(describeFeatureService(service, catalog)).toMatch(
    /profile\.delay +on code=origin +overridden by ops\.delay, then tower\.delay$/,
  );
});
