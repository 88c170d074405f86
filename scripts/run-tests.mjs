import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runNode, say } from "./run-node.mjs";

/** Of more files than this a second run says nothing: that is no accident. */
const secondRunFilesMax = 3;

/**
 * Builds, so that the many processes of the tests start quickly; the tests themselves are of the sources. Runs them, and the few
 * files that failed once more, alone: the tests use real servers and processes, which a busy machine may keep from answering in
 * time. What fails twice has failed; what passed the second time is named. Ends with one line `N passed, N failed`, and
 * resolves with the exit code.
 */
export async function runTests(root, args) {
  process.env.TRIBUTARY_COMPILED = (await isBuilt(root)) ? "1" : "0";
  const first = await runVitest(
    root,
    args.filter((arg) => arg !== "--yes"),
  );
  const failed = filesToRunAgain(first);
  const last = failed.length === 0 ? first : await runAgain(root, first, failed);
  const verdict = verdictOf(last.report, last.exitCode);
  if (verdict.problem !== undefined) say(verdict.problem);
  process.stdout.write(`${verdict.line}\n`);
  return verdict.exitCode;
}

async function runAgain(root, first, files) {
  process.stdout.write(`\nonce more, alone: ${files.join(" ")}\n`);
  const second = await runVitest(root, ["--maxWorkers=1", ...files]);
  const report = mergedReport(first.report, second.report);
  for (const { name, assertionResults } of first.report.testResults.filter((file) => files.includes(file.name)))
    for (const { status, fullName } of assertionResults)
      if (status === "failed") process.stdout.write(`failed in the first run: ${name}: ${fullName}\n`);
  return { report, exitCode: second.exitCode };
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

/** None where everything passed, where too many failed, and where the runner itself fell over. */
export function filesToRunAgain({ report, exitCode }) {
  const failed = (report?.testResults ?? []).filter((file) => file.status === "failed").map((file) => file.name);
  return exitCode === 1 && failed.length <= secondRunFilesMax ? failed : [];
}

/** The first report, with the second one's word on the files that were run twice. */
export function mergedReport(first, second) {
  const again = new Map((second?.testResults ?? []).map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  const tests = testResults.flatMap((file) => file.assertionResults);
  const count = (...statuses) => tests.filter((test) => statuses.includes(test.status)).length;
  return {
    testResults,
    numPassedTests: count("passed"),
    numFailedTests: count("failed"),
    numPendingTests: count("pending", "skipped", "disabled"),
    numTodoTests: count("todo"),
  };
}

/** Where it does not compile, the tests are run all the same: they tell more. */
async function isBuilt(root) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const exitCode = await runNode([tsc, "-b"], root);
  if (exitCode !== 0) say("The sources do not compile: the tests run them as they are, with slower starts.");
  return exitCode === 0;
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
