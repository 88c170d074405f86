import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nodeArguments } from "@tributary/local/node-command";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

afterEach(() => vi.unstubAllEnvs());

function clone(...files: readonly string[]): string {
  const { path, remove } = temporaryDirectory("clone");
  onTestFinished(remove);
  for (const file of files) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), "");
  }
  return path;
}

it("runs a source through tsx, and compiled code as it is", () => {
  vi.stubEnv("TRIBUTARY_COMPILED", "0");
  const path = clone("services/one/src/main.ts", "services/one/dist/main.js");
  expect(nodeArguments(join(path, "services/one/src/main.ts")).slice(0, 2)).toEqual([
    "--conditions=tributary-source",
    "--import",
  ]);
  expect(nodeArguments(join(path, "services/one/dist/main.js"))).toEqual([join(path, "services/one/dist/main.js")]);
});

it("runs on request what a source was compiled to, where that is there", () => {
  vi.stubEnv("TRIBUTARY_COMPILED", "1");
  const path = clone("packages/one/src/a/b.ts", "packages/one/dist/a/b.js", "packages/one/src/c.ts", "bench/main.ts");
  const last = (file: string) => nodeArguments(join(path, file)).at(-1);
  expect(nodeArguments(join(path, "packages/one/src/a/b.ts"))).toEqual([join(path, "packages/one/dist/a/b.js")]);
  expect(last("packages/one/src/c.ts")).toBe(join(path, "packages/one/src/c.ts"));
  expect(last("bench/main.ts")).toBe(join(path, "bench/main.ts"));
});
