import assert from "node:assert/strict";
import { test } from "node:test";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import * as definitions from "./features.ts";

test("the definitions compile, and a track's card has the columns that readers rely on", () => {
  const catalog = compileDefinitions(Object.values(definitions));
  const columns = catalog.featureServices.track_card?.columns.map(({ name }) => name) ?? [];
  for (const name of ["plays_5m", "plays_1h", "starsMean", "energy"]) assert.ok(columns.includes(name), name);
});
