import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** A `broken` run has no verdict: code that does not compile kills no mutant. */
export type TestRun = { readonly seconds: number } & (
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly test: string }
  | { readonly kind: "broken"; readonly why: string }
);

const timeoutMs = 300_000;

/** Runs test files of a copy until the first failure. */
export async function runTestFiles(copy: string, files: readonly string[]): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), "tributary-mutant-report-"));
  const startMs = performance.now();
  try {
    const { code, tail } = await vitest(copy, [
      ...files,
      "--bail=1",
      "--reporter=json",
      `--outputFile=${folder}/report.json`,
    ]);
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    if (code === 0) return { kind: "passed", seconds };
    const test = existsSync(`${folder}/report.json`)
      ? firstFailure(copy, readFileSync(`${folder}/report.json`, "utf8"))
      : undefined;
    return test === undefined ? { kind: "broken", why: tail, seconds } : { kind: "failed", test, seconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function vitest(
  copy: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly tail: string }> {
  const main = join(copy, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [main, "run", ...args], {
    cwd: copy,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: timeoutMs,
  });
  let tail = "";
  child.stderr.on("data", (text: Buffer) => {
    tail = (tail + text.toString()).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, tail }));
  });
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function firstFailure(copy: string, text: string): string | undefined {
  const { testResults } = JSON.parse(text) as Report;
  const failed = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName }) => `${relative(copy, name)}: ${fullName}`),
  );
  return failed[0];
}
