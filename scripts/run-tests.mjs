import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "./compile.mjs";
import { runNode, say } from "./run-node.mjs";

/** A change is judged on machines that may hang for seconds: there, so few files are given a second try. */
const unsteadyFilesMax = 4;

/**
 * Builds, so that the many processes of the tests start quickly; the tests themselves are of the sources. Then runs the tests, ends
 * with one line `N passed, N failed`, and resolves with the exit code. Where `CI` is set, up to four files with failures are
 * run once more, alone; what passes then is counted as passed, and named.
 */
export async function runTests(root, args) {
  const isCompiled = await compile(root);
  // The tests are run all the same: they tell more.
  if (!isCompiled) say("The sources do not compile: the tests run them as they are, with slower starts.");
  process.env.TRIBUTARY_COMPILED = isCompiled ? "1" : "0";
  const first = await runVitest(
    root,
    args.filter((arg) => arg !== "--yes"),
  );
  // Another code is a runner that fell over, which no second try of a file makes good.
  const last = process.env.CI && first.exitCode === 1 ? await tryAgain(root, first) : first;
  const verdict = verdictOf(last.report, last.exitCode);
  if (verdict.problem !== undefined) say(verdict.problem);
  process.stdout.write(`${verdict.line}\n`);
  return verdict.exitCode;
}

async function tryAgain(root, first) {
  const files = filesToTryAgain(first.report);
  if (files.length === 0) return first;
  say(`\nOnce more, alone: ${files.join(" ")}`);
  const { report, exitCode } = await runVitest(root, files);
  if (report === undefined) return first;
  const both = withSecondTry(first.report, report);
  for (const name of both.unsteady) say(`UNSTEADY, it failed and then passed alone: ${name}`);
  return { report: both.report, exitCode };
}

async function runVitest(root, args) {
  const folder = mkdtempSync(join(tmpdir(), "tributary-test-report-"));
  const reportFile = join(folder, "report.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const exitCode = await runNode([vitest, "run", ...reporters, ...args], root);
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : undefined;
  rmSync(folder, { recursive: true });
  return { report, exitCode };
}

/** None where more than a few have failures: that is not the machine. */
export function filesToTryAgain(report) {
  const failed = (report?.testResults ?? []).filter((file) => file.status === "failed");
  return failed.length <= unsteadyFilesMax ? failed.map((file) => file.name) : [];
}

/** The report in which files have what came of their second try; `unsteady` names the tests that failed in the first alone. */
export function withSecondTry(first, second) {
  const tried = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => tried.get(file.name) ?? file);
  const passedNow = new Set(testsOf(second.testResults, "passed"));
  const numPassedTests = testsOf(testResults, "passed").length;
  const numFailedTests = testsOf(testResults, "failed").length;
  const numTests = testResults.flatMap((file) => file.assertionResults).length;
  return {
    report: {
      testResults,
      numPassedTests,
      numFailedTests,
      numPendingTests: numTests - numPassedTests - numFailedTests,
    },
    unsteady: testsOf(first.testResults, "failed").filter((name) => passedNow.has(name)),
  };
}

function testsOf(files, status) {
  return files.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === status).map((test) => `${file.name}: ${test.fullName}`),
  );
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
