import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

interface Lock {
  readonly packages: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests?: number;
  readonly testResults: readonly ReportedFile[];
}
interface ReportedFile {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

const load = (name: string) => import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);
const { stalenessOf, keepLock } = (await load("packages")) as {
  stalenessOf(wanted: Lock | undefined, installed: Lock | undefined): string | undefined;
  keepLock(file: string, before: Buffer): void;
};
const { partsFor, platformOf } = (await load("native-modules")) as {
  partsFor(lock: Lock, name: string, platform: string): string[];
  platformOf(process: { platform: string; arch: string; report?: unknown }): string;
};
const { filesToTryAgain, verdictOf, withSecondTry } = (await load("run-tests")) as {
  filesToTryAgain(report: Report | undefined): string[];
  withSecondTry(first: Report, second: Report): { report: Report; unsteady: string[] };
  verdictOf(report: Report | undefined, exitCode: number): { line: string; exitCode: number; problem?: string };
};
const { nodeProblem } = (await load("run-node")) as { nodeProblem(version: string): string | undefined };

describe("installed packages", () => {
  const wanted: Lock = {
    packages: {
      "": { version: "1" },
      "node_modules/a": { version: "1.0.0" },
      "node_modules/b/node_modules/c": { version: "2.0.0" },
      "node_modules/other-platform": { version: "1.0.0", optional: true },
    },
  };
  const without = (path: string, lock = wanted): Lock => ({
    packages: Object.fromEntries(Object.entries(lock.packages).filter(([name]) => name !== path)),
  });

  it("are fresh when each locked package is there, whether or not optional ones are", () => {
    expect(stalenessOf(wanted, wanted)).toBeUndefined();
    expect(stalenessOf(wanted, without("node_modules/other-platform"))).toBeUndefined();
  });

  it("are stale when nothing is installed, or an install was interrupted", () => {
    expect(stalenessOf(wanted, undefined)).toBe("none are there");
  });

  it("are stale when a package is missing or has another version, and the reason names it", () => {
    expect(stalenessOf(wanted, without("node_modules/b/node_modules/c"))).toBe("c is not the locked one");
    const old: Lock = { packages: { ...wanted.packages, "node_modules/a": { version: "0.9.0" } } };
    expect(stalenessOf(wanted, old)).toBe("a is not the locked one");
  });

  it("cannot be judged without a lock", () => {
    expect(() => stalenessOf(undefined, wanted)).toThrow(/package-lock.json is missing/);
  });

  it("never change the lock", () => {
    const directory = temporaryDirectory("lock");
    onTestFinished(() => directory.remove());
    const file = join(directory.path, "package-lock.json");
    writeFileSync(file, "changed by npm");
    keepLock(file, Buffer.from("as committed"));
    expect(readFileSync(file, "utf8")).toBe("as committed");
  });
});

describe("parts for a platform", () => {
  const optionalDependencies = {
    "@x/linux-x64-gnu": "1.0.0",
    "@x/linux-x64-musl": "1.0.0",
    "@x/linux-arm64-gnu": "1.0.0",
    "@x/darwin-arm64": "1.0.0",
  };
  const lock: Lock = { packages: { "node_modules/x": { optionalDependencies } } };

  it("are those that the locked package names, at its version", () => {
    expect(partsFor(lock, "x", "linux-x64-gnu")).toEqual(["@x/linux-x64-gnu@1.0.0"]);
    expect(partsFor(lock, "x", "linux-x64-musl")).toEqual(["@x/linux-x64-musl@1.0.0"]);
    expect(partsFor(lock, "x", "darwin-arm64")).toEqual(["@x/darwin-arm64@1.0.0"]);
    expect(partsFor(lock, "unknown", "darwin-arm64")).toEqual([]);
  });

  it("tell one C library from the other", () => {
    const header = (glibcVersionRuntime?: string) => ({ getReport: () => ({ header: { glibcVersionRuntime } }) });
    expect(platformOf({ platform: "linux", arch: "x64", report: header("2.36") })).toBe("linux-x64-gnu");
    expect(platformOf({ platform: "linux", arch: "x64", report: header() })).toBe("linux-x64-musl");
    expect(platformOf({ platform: "darwin", arch: "arm64" })).toBe("darwin-arm64");
  });
});

describe("the tests' closing line", () => {
  const file = (name: string, ...statuses: string[]): ReportedFile => ({
    name,
    status: statuses.includes("failed") ? "failed" : "passed",
    assertionResults: statuses.map((status, i) => ({ status, fullName: `test ${i}` })),
  });
  const broken: ReportedFile = { name: "broken", status: "failed", assertionResults: [] };
  const report = (passed: number, failed: number, more: Partial<Report> = {}): Report => ({
    numPassedTests: passed,
    numFailedTests: failed,
    testResults: [file("a", failed > 0 ? "failed" : "passed")],
    ...more,
  });

  it("counts what passed and failed", () => {
    expect(verdictOf(report(3, 0), 0)).toMatchObject({ line: "3 passed, 0 failed", exitCode: 0 });
    expect(verdictOf(report(3, 2), 1)).toMatchObject({ line: "3 passed, 2 failed", exitCode: 1 });
    expect(verdictOf(report(3, 0, { numPendingTests: 1 }), 0).line).toBe("3 passed, 0 failed, 1 skipped");
  });

  it("counts a file that could not be loaded as a failure", () => {
    expect(verdictOf(report(3, 0, { testResults: [broken] }), 1)).toMatchObject({ line: "3 passed, 1 failed" });
  });

  it("is a failure when no test ran, also where the runner saw nothing wrong", () => {
    expect(verdictOf(report(0, 0), 0)).toMatchObject({ line: "0 passed, 1 failed", exitCode: 1 });
    expect(verdictOf(undefined, 0)).toMatchObject({ line: "0 passed, 1 failed", exitCode: 1 });
  });

  it("counts of a file its second try, and names what failed in the first alone", () => {
    const first = report(2, 2, { testResults: [file("a", "passed", "failed", "failed"), file("b", "passed")] });
    const judge = (...statuses: string[]) => {
      const both = withSecondTry(first, report(0, 0, { testResults: [file("a", ...statuses)] }));
      return [verdictOf(both.report, both.report.numFailedTests > 0 ? 1 : 0).line, both.unsteady];
    };
    expect(judge("passed", "passed", "passed")).toEqual(["4 passed, 0 failed", ["a: test 1", "a: test 2"]]);
    expect(judge("failed", "passed", "failed")).toEqual(["2 passed, 2 failed", ["a: test 1"]]);
    expect(judge("passed", "skipped", "passed")).toEqual(["3 passed, 0 failed, 1 skipped", ["a: test 2"]]);
    const mended = withSecondTry(
      report(0, 0, { testResults: [broken] }),
      report(0, 0, { testResults: [file("broken", "passed")] }),
    );
    expect(verdictOf(mended.report, 0).line).toBe("1 passed, 0 failed");
  });

  it("has no second try where many files failed", () => {
    const tried = (...testResults: ReportedFile[]) => filesToTryAgain(report(0, 0, { testResults }));
    expect(tried(file("a", "failed"), file("b", "passed"), file("c", "passed", "failed"))).toEqual(["a", "c"]);
    expect(tried(...["a", "b", "c", "d"].map((name) => file(name, "failed")))).toEqual(["a", "b", "c", "d"]);
    expect(tried(...["a", "b", "c", "d"].map((name) => file(name, "failed")), broken)).toEqual([]);
    expect(tried(file("a", "passed"))).toEqual([]);
    expect(filesToTryAgain(undefined)).toEqual([]);
  });

  it("is a failure when the runner crashed although all counts look fine", () => {
    expect(verdictOf(report(3, 0), 139)).toMatchObject({ line: "3 passed, 1 failed", exitCode: 139 });
  });
});

describe("Node", () => {
  it("is new enough from 20.19 on", () => {
    expect(["20.19.0", "20.20.2", "22.1.0", "26.0.0"].map(nodeProblem)).toEqual(Array(4).fill(undefined));
    expect(nodeProblem("20.18.1")).toMatch(/needs Node 20.19 or newer; this is Node 20.18.1/);
    expect(nodeProblem("18.20.0")).toMatch(/18.20.0/);
  });
});
