import { expect, it } from "vitest";
import type { ResultLine } from "../../campaign/campaign.ts";
import { run } from "../../campaign/store-kills/campaign.ts";
import { failpoints } from "../../campaign/store-kills/failpoints.ts";
import { testSeed } from "../support/seed.ts";

const kills = 4;

it("stores killed at failpoints lose nothing that was acknowledged, and no cell, reply or confirmation is wrong meanwhile", async () => {
  // Begins with the first failpoint, whatever the seed: what is acknowledged too early is mostly lost there.
  const seed = (testSeed % 100_000_000) * failpoints.length;
  const lines: ResultLine[] = [];
  const failure = await run({
    seed,
    count: kills,
    path: undefined,
    tell: (line) => lines.push(line),
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  expect(failure).toBeUndefined();
  expect(lines.reduce((sum, line) => sum + Number(line.kills), 0)).toBe(kills);
  expect(lines.reduce((sum, line) => sum + Number(line.acked), 0)).toBeGreaterThan(100);
});
