import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Import {
  readonly file: string;
  readonly from: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !/node_modules|\/dist/.test(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(files: readonly string[]): Import[] {
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+)"([^"]+)"/g;
  return files.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(pattern)].map((match) => ({ file, from: match[1] as string })),
  );
}

const services = ["batch-runner", "stream-processor", "direct-gateway", "online-store"];
const product = [...sourceFiles("packages"), ...sourceFiles("services")].filter((file) => !file.endsWith(".test.ts"));
const imports = importsOf(product);
const show = (found: readonly Import[]) => found.map(({ file, from }) => `${file} imports ${from}`);

describe("import directions", () => {
  it("finds the sources at all", () => {
    expect(product.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(150);
  });

  it("lets only messaging know the nats package", () => {
    const wrong = imports.filter(
      ({ file, from }) => from === "nats" && !file.startsWith("packages/shared/src/messaging/"),
    );
    expect(show(wrong)).toEqual([]);
  });

  it("keeps services from importing each other, or anything but shared", () => {
    const wrong = imports.filter(
      ({ file, from }) =>
        file.startsWith("services/") && from.startsWith("@tributary/") && !from.startsWith("@tributary/shared/"),
    );
    expect(show(wrong)).toEqual([]);
    const outside = imports.filter(
      ({ file, from }) =>
        file.startsWith("services/") &&
        from.startsWith(".") &&
        !join(file, "..", from).startsWith(`services/${file.split("/")[1]}/src/`),
    );
    expect(show(outside)).toEqual([]);
  });

  it("keeps shared from importing any other package of ours", () => {
    const wrong = imports.filter(
      ({ file, from }) => file.startsWith("packages/shared/") && from.startsWith("@tributary/"),
    );
    expect(show(wrong)).toEqual([]);
  });

  it.each([
    [
      "pg",
      [
        "services/batch-runner/src/adapters/",
        "services/stream-processor/src/adapters/",
        "packages/cli/",
        "packages/local/",
      ],
    ],
    ["ioredis", ["services/online-store/src/adapters/"]],
    ["@duckdb/node-api", ["services/batch-runner/src/adapters/"]],
    ["fastify", ["services/direct-gateway/src/adapters/", "services/online-store/src/adapters/"]],
  ])("lets only adapters touch %s", (driver, allowed) => {
    const wrong = imports.filter(
      ({ file, from }) => from === driver && !allowed.some((folder) => file.startsWith(folder)),
    );
    expect(show(wrong)).toEqual([]);
  });

  it("keeps every core pure: no adapters, handlers, messaging, runtime, drivers or node built-ins with effects", () => {
    const impure =
      /adapters\/|handlers\/|messaging\/(?!contract)|runtime\/|^node:(fs|net|http|child_process|timers|worker_threads|process|os)|^(pg|nats|ioredis|fastify|pino)$|duckdb/;
    const wrong = imports.filter(({ file, from }) => /^services\/[^/]+\/src\/core\//.test(file) && impure.test(from));
    expect(show(wrong)).toEqual([]);
  });

  it("keeps clocks, chance and waiting out of every core", () => {
    const impure =
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\basync\b|\bawait\b|\bprocess\.|\bsetTimeout\(|\bsetInterval\(|performance\.now\(|randomUUID|randomBytes/;
    const pure = product.filter(
      (file) =>
        /^services\/[^/]+\/src\/core\//.test(file) ||
        /^packages\/shared\/src\/(admission|aggregation|contracts|codec|merge)\//.test(file),
    );
    const wrong = pure.filter((file) => impure.test(withoutComments(readFileSync(join(root, file), "utf8"))));
    expect(wrong).toEqual([]);
  });

  it("gives every service the same skeleton", () => {
    for (const service of services) {
      const names = readdirSync(join(root, "services", service, "src"));
      expect(names, service).toEqual(
        expect.arrayContaining(["adapters", "config.ts", "core", "handlers", "main.ts", "service.ts"]),
      );
      expect(readdirSync(join(root, "services", service)), service).toEqual(
        expect.arrayContaining(["Dockerfile", "README.md", "package.json"]),
      );
    }
  });

  it("has no barrels and no files named for nothing", () => {
    const wrong = product.filter((file) => /\/(index|utils?|helpers?|common|misc|types|manager)\.ts$/.test(file));
    expect(wrong).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
}
