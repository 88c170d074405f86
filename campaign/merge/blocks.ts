import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Counterexample } from "./check-merge.ts";

export interface Block {
  readonly seed: number;
  readonly runs: number;
  readonly path?: string;
}

/** What a worker says. */
export type Report =
  | { readonly kind: "progress"; readonly runs: number }
  | { readonly kind: "end"; readonly found: Counterexample | undefined };

export interface BlockResults {
  readonly done: number;
  readonly found: Counterexample | undefined;
}

interface BlockOptions {
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number) => void;
}

/** Runs the blocks in processes of their own, until all are done, one has found something, or the signal. */
export async function runBlocks(blocks: readonly Block[], options: BlockOptions): Promise<BlockResults> {
  const rest = [...blocks];
  let done = 0;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const add = (runs: number) => {
    done += runs;
    options.progress(done);
  };
  const worker = async (): Promise<Counterexample | undefined> => {
    for (let block = rest.shift(); block !== undefined && !signal.aborted; block = rest.shift()) {
      const found = await runBlock(block, signal, add);
      if (found === undefined) continue;
      stop.abort();
      return found;
    }
    return undefined;
  };
  const found = await Promise.all(Array.from({ length: options.workers }, worker));
  return { done, found: found.find((one) => one !== undefined) };
}

function runBlock(block: Block, signal: AbortSignal, add: (runs: number) => void): Promise<Counterexample | undefined> {
  const child = fork(fileURLToPath(new URL("./block-worker.ts", import.meta.url)));
  const stop = () => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  child.send(block);
  return answerOf(child, add, signal).finally(() => signal.removeEventListener("abort", stop));
}

function answerOf(
  child: ChildProcess,
  add: (runs: number) => void,
  signal: AbortSignal,
): Promise<Counterexample | undefined> {
  let found: Counterexample | undefined;
  let hasEnded = false;
  return new Promise((resolve, reject) => {
    child.on("message", (report: Report) => {
      if (report.kind === "progress") return add(report.runs);
      found = report.found;
      hasEnded = true;
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      if (hasEnded || signal.aborted) resolve(found);
      else reject(new Error(`a worker ended with code ${code} and no result`));
    });
  });
}
