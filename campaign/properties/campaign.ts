import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CampaignContext, Failure } from "../campaign.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const seeds = 2 ** 31;
const tailLength = 6_000;

/** Each run is all properties that need no server, from a seed of its own. */
export async function run({ seed, count, tell, progress, signal }: CampaignContext): Promise<Failure | undefined> {
  const files = propertyFiles();
  for (let done = 0; done < count; done++) {
    const of = (seed + done) % seeds;
    const why = await failureOf(files, of, signal);
    if (signal.aborted || why !== undefined) {
      tell({ campaign: "properties", seed, files: files.length, runs: done, failures: signal.aborted ? 0 : 1 });
      return signal.aborted || why === undefined ? undefined : { why, repeat: `--seed ${of} --runs 1` };
    }
    progress(done + 1);
  }
  tell({ campaign: "properties", seed, files: files.length, runs: count, failures: 0 });
  return undefined;
}

/** Test files beside the sources that state properties. */
function propertyFiles(): string[] {
  return ["packages", "services"]
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name, "src")))
    .flatMap((source) =>
      readdirSync(join(root, source), { recursive: true, encoding: "utf8" }).map((file) => join(source, file)),
    )
    .filter((file) => file.endsWith(".test.ts") && readFileSync(join(root, file), "utf8").includes("fc.assert"));
}

/** What the test runner printed last, when a test failed. */
function failureOf(files: readonly string[], seed: number, signal: AbortSignal): Promise<string | undefined> {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", "--bail=1", ...files], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TRIBUTARY_TEST_SEED: String(seed), NO_COLOR: "1" },
    signal,
    killSignal: "SIGTERM",
  });
  let tail = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      tail = (tail + text.toString()).slice(-tailLength);
    });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => (signal.aborted ? undefined : reject(error)));
    child.once("close", (code) => resolve(code === 0 ? undefined : tail));
  });
}
