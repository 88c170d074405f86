import { expect, it } from "vitest";
import { checkMerge } from "../../campaign/merge/check-merge.ts";

const runs = 1_000;

it("every random history of writers, erasures, outages and duplicates ends as the oracle says, whatever the order", async () => {
  const seed = Date.now() % 2 ** 31;
  const found = await checkMerge({ seed, runs });
  expect(found, `npm run campaign -- merge --seed ${seed} --runs ${runs}`).toBeUndefined();
});
