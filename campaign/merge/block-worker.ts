import type { Block, Report } from "./blocks.ts";
import { checkMerge } from "./check-merge.ts";

/** Runs one block and ends; a separate process, so that it can be stopped at any time. */
const reportEvery = 100;

function report(one: Report, sent?: () => void): void {
  process.send?.(one, sent);
}

process.once("message", async (block: Block) => {
  let runs = 0;
  const done = () => {
    runs += 1;
    if (runs % reportEvery === 0) report({ kind: "progress", runs: reportEvery });
  };
  const found = await checkMerge({ ...block, done });
  if (found === undefined) report({ kind: "progress", runs: runs % reportEvery });
  report({ kind: "end", found }, () => process.disconnect());
});
