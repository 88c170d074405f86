import type { Catalog } from "@tributary/shared/contracts/catalog";
import { expect, it } from "vitest";
import { checksOf, describeFeatureService, typeOf } from "./describe.ts";

it("says types and checks as a person writes them", () => {
  expect(typeOf({ type: "vector", dimension: 3 })).toBe("vector(3)");
  expect(typeOf({ type: "list", of: "string" })).toBe("list<string>");
  expect(checksOf({ name: "score", type: "float64", min: 0, max: 1, default: 0.5 })).toBe("≥ 0; ≤ 1; default 0.5");
  const text = { name: "name", type: "string", minLength: 1, maxLength: 9, nullable: false, pii: true } as const;
  expect(checksOf(text)).toBe("length ≥ 1; length ≤ 9; not null; personal data");
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

it("says what an on-demand column is computed of, and what a read has to bring", () => {
  const service = {
    name: "gate",
    requestKeys: [{ name: "origin", type: "string" as const }],
    columns: [{ name: "d", view: "profile", feature: "delay", keys: { code: "origin" } }],
    onDemand: [
      {
        name: "risk",
        feature: "delay_risk",
        inputs: { delay: { from: "column", name: "d" }, size: { from: "request", name: "size" } },
      } as const,
    ],
    requestFields: [
      { name: "size", type: "int64" as const, nullable: false },
      { name: "at", type: "timestamp" as const, nullable: true },
    ],
  };
  const onDemandFeatures = {
    delay_risk: { name: "delay_risk", type: "float64", inputs: [], expression: "delay * size" },
  };
  const text = describeFeatureService(service, { views: {}, entities: {}, onDemandFeatures } as unknown as Catalog);
  expect(text).toMatch(/request fields +size int64, at timestamp\?/);
  expect(text).toMatch(/risk +float64 +delay_risk +on demand +of delay=d, size +delay \* size$/);
});
