import { availableParallelism } from "node:os";
import type { CampaignContext, Failure } from "../campaign.ts";
import { type Block, runBlocks } from "./blocks.ts";
import type { Counterexample } from "./check-merge.ts";

/** Runs of one seed; the first block's is the campaign's, so that a short campaign is the same as its block. */
const blockRuns = 1_000;
const workersMax = 8;

export async function run(context: CampaignContext): Promise<Failure | undefined> {
  const { seed, count, path, signal } = context;
  const blocks = path === undefined ? blocksOf(seed, count) : [{ seed, runs: 1, path }];
  const workers = Math.min(availableParallelism(), workersMax, blocks.length);
  const { done, found } = await runBlocks(blocks, { workers, signal, progress: context.progress });
  context.tell({ campaign: "merge", seed, runs: done, failures: found === undefined ? 0 : 1 });
  return found && failureOf(found);
}

function blocksOf(seed: number, count: number): Block[] {
  return Array.from({ length: Math.ceil(count / blockRuns) }, (_, i) => ({
    seed: (seed + i * 1_000_003) % 2 ** 31,
    runs: Math.min(blockRuns, count - i * blockRuns),
  }));
}

function failureOf({ seed, path, why, example }: Counterexample): Failure {
  return { why: `${why}\n\n${example}`, repeat: `--seed ${seed} --path ${path}` };
}
