import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { mutantsIn, problemOf } from "../../scripts/mutant.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

it.each(mutantsIn(root).map((mutant) => [mutant.name, mutant] as const))(
  "mutant %s still applies, and the tests that kill it exist",
  (_, mutant) => {
    expect(problemOf(root, mutant)).toBeUndefined();
  },
);
