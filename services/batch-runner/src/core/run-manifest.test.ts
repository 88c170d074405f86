import { describe, expect, it } from "vitest";
import { comparableFeatures } from "./run-manifest.ts";

const features = [
  { name: "low", type: "float64" as const },
  { name: "tags", type: "list" as const, of: "string" as const },
];

describe("the published snapshot", () => {
  it("is compared with where view version and type are the same", () => {
    const published = { viewVersion: 1, features };
    expect([...comparableFeatures(published, { viewVersion: 1, features })]).toEqual(["low", "tags"]);
    const changed = [
      { name: "low", type: "int64" as const },
      ...features.slice(1),
      { name: "new", type: "bool" as const },
    ];
    expect([...comparableFeatures(published, { viewVersion: 1, features: changed })]).toEqual(["tags"]);
  });

  it("counts for nothing under another view version, or when there is none", () => {
    expect(comparableFeatures({ viewVersion: 1, features }, { viewVersion: 2, features }).size).toBe(0);
    expect(comparableFeatures(undefined, { viewVersion: 1, features }).size).toBe(0);
  });
});
