import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const script = fileURLToPath(new URL("../../.ci/run", import.meta.url));

/** Runs the script in a folder where each tool is a line of shell. */
function runWith(tools: Partial<Record<"node" | "git" | "npx" | "npm", string>>) {
  const directory = temporaryDirectory("ci");
  onTestFinished(() => directory.remove());
  const bin = join(directory.path, "bin");
  mkdirSync(bin);
  mkdirSync(join(directory.path, ".ci"));
  copyFileSync(script, join(directory.path, ".ci/run"));
  const usual = { node: "true", git: "true", npx: "true", npm: "echo '3 passed, 0 failed'" };
  for (const [name, line] of Object.entries({ ...usual, ...tools })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const { status, stdout } = spawnSync("bash", [".ci/run"], {
    cwd: directory.path,
    encoding: "utf8",
    env: { PATH: `${bin}:/usr/bin:/bin` },
  });
  return { status, stdout, lastLine: stdout.trimEnd().split("\n").at(-1) };
}

describe("the CI script", () => {
  it("ends with the tests' closing line and succeeds when all is well", () => {
    expect(runWith({})).toMatchObject({ status: 0, lastLine: "3 passed, 0 failed" });
  });

  it("fails on a lint or type error, says so, and runs the tests all the same", () => {
    const { status, stdout, lastLine } = runWith({ npx: '[ "$1" != biome ]' });
    expect({ status, lastLine }).toEqual({ status: 1, lastLine: "3 passed, 0 failed" });
    expect(stdout).toContain("!! lint FAILED");
  });

  it("fails when the lock was changed", () => {
    expect(runWith({ git: "exit 1" }).status).toBe(1);
  });

  it("fails when a test fails", () => {
    const npm = "echo '2 passed, 1 failed'; exit 1";
    expect(runWith({ npm })).toMatchObject({ status: 1, lastLine: "2 passed, 1 failed" });
  });

  it("fails when the tests end without their closing line", () => {
    expect(runWith({ npm: "exit 0" })).toMatchObject({ status: 1, lastLine: "0 passed, 1 failed" });
  });

  it("stops at once when packages cannot be installed", () => {
    const { status, stdout, lastLine } = runWith({ node: "exit 1" });
    expect({ status, lastLine }).toEqual({ status: 1, lastLine: "0 passed, 1 failed" });
    expect(stdout).not.toContain("npm test");
  });
});
