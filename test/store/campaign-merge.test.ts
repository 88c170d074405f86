import { expect, it } from "vitest";
import { checkMerge } from "../../campaign/merge/check-merge.ts";
import { testSeed } from "../support/seed.ts";

const runs = 1_000;

it("every random history of writers, erasures, outages and duplicates ends as the oracle says, whatever the order", async () => {
  const found = await checkMerge({ seed: testSeed, runs });
  expect(found, `npm run campaign -- merge --seed ${testSeed} --runs ${runs}`).toBeUndefined();
});
