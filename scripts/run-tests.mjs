import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "./compile.mjs";
import { runNode, say } from "./run-node.mjs";

/**
 * Builds, so that the many processes of the tests start quickly; the tests themselves are of the sources. Then runs the tests, ends
 * with one line `N passed, N failed`, and resolves with the exit code.
 */
export async function runTests(root, args) {
  const folder = mkdtempSync(join(tmpdir(), "tributary-test-report-"));
  const reportFile = join(folder, "report.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const isCompiled = await compile(root);
  // The tests are run all the same: they tell more.
  if (!isCompiled) say("The sources do not compile: the tests run them as they are, with slower starts.");
  process.env.TRIBUTARY_COMPILED = isCompiled ? "1" : "0";
  const exitCode = await runNode([vitest, "run", ...reporters, ...args.filter((arg) => arg !== "--yes")], root);
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : undefined;
  rmSync(folder, { recursive: true });
  const verdict = verdictOf(report, exitCode);
  if (verdict.problem !== undefined) say(verdict.problem);
  process.stdout.write(`${verdict.line}\n`);
  return verdict.exitCode;
}

/** Counts of a report and the exit code they deserve: no test at all, or a runner that fell over, is a failure. */
export function verdictOf(report, exitCode) {
  const files = report?.testResults ?? [];
  const broken = files.filter((file) => file.status === "failed" && !hasFailedTest(file)).length;
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const failed = (report?.numFailedTests ?? 0) + broken;
  const problem = problemOf({ passed, failed, exitCode });
  const failures = failed + (problem === undefined ? 0 : 1);
  return {
    line: `${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    exitCode: failures > 0 ? exitCode || 1 : exitCode,
    problem,
  };
}

function problemOf({ passed, failed, exitCode }) {
  if (passed + failed === 0) return "No test ran: that counts as a failure.";
  if (exitCode !== 0 && failed === 0) return `The test runner ended with code ${exitCode}: that counts as a failure.`;
  return undefined;
}

function hasFailedTest(file) {
  return file.assertionResults.some((test) => test.status === "failed");
}
