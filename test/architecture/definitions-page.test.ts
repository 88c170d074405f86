import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, describe, expect, it } from "vitest";
import { optionsOfType } from "../../packages/shared/src/definitions/feature-options.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { isMaker, makersIn, optionsOf } from "./definition-makers.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/reference/definitions.md"), "utf8");
const folder = join(root, "packages/shared/src/definitions");
/** define-view.ts is what the functions of views stand on. */
const modules = readdirSync(folder).filter(
  (name) => name.endsWith(".ts") && !name.includes(".test.") && name !== "define-view.ts",
);
const example = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code).join("");
const exampleFile = join(root, "test/architecture/example-of-the-page.ts");
const { program, checker } = compiled([...modules.map((name) => join(folder, name)), exampleFile]);
const makers = new Map(
  modules.flatMap((name) => makersIn(checker, program.getSourceFile(join(folder, name)))).map((one) => [one.name, one]),
);

const labels = ["description", "owner", "tags"];
const common = namesInRows(sectionOf("Views", 2).split("\n### ")[0] ?? "");

describe("the page of definitions", () => {
  it("finds the functions that definitions are made with", () => {
    expect([...makers.keys()]).toEqual(expect.arrayContaining(["entity", "batchView", "float64", "count", "derived"]));
    expect(isMaker(checker, program.getSourceFile(join(folder, "compile.ts")), "compileDefinitions")).toBe(false);
  });

  it("names every one of them, and nothing else", () => {
    const named = [
      ...[...page.matchAll(/^### `(\w+)\(/gm)].map(([, name]) => name),
      ...[...page.matchAll(/^\| `(\w+)\([^`]*\)` \|/gm)].map(([, name]) => name),
    ];
    expect(named.sort()).toEqual([...makers.keys()].sort());
  });

  it.each(["entity", "eventSource", "tableSource", "onDemandFeature"])("has a row for every option of %s", (name) => {
    expect(namesInRows(sectionOf(`\`${name}(`, 3)).sort()).toEqual(optionsOfMaker(name));
  });

  it.each(["batchView", "streamView", "aggregateView", "directView"])("has a row for every option of %s", (name) => {
    const own = namesInRows(sectionOf(`\`${name}(`, 3));
    expect([...common, ...own].sort()).toEqual(optionsOfMaker(name));
  });

  it("has the options of every type", () => {
    const everyType = [...labels, "pii", "nullable", "default"];
    const rows = page.matchAll(/^\| `(\w+)\((?:of|dimension)?\)` \|(?:[^|]|\\\|)*\|(?:[^|]|\\\|)*\|([^|]*)\|$/gm);
    const said = new Map([...rows].map(([, type, own = ""]) => [type, [...everyType, ...backticked(own)].sort()]));
    said.delete("uuid");
    expect([...said.keys()].sort()).toEqual(Object.keys(optionsOfType).sort());
    for (const [type, options] of Object.entries(optionsOfType)) {
      expect(said.get(type), type).toEqual([...options].sort());
      expect(optionsOfMaker(type), type).toEqual([...options].sort());
    }
    const explained = namesInRows(
      page.slice(page.indexOf("| option | what | default |\n|---|---|---|\n| `nullable`")).split("\n\n")[0] ?? "",
    );
    expect([...explained, ...labels].sort()).toEqual([...new Set(Object.values(optionsOfType).flat())].sort());
  });

  it("has the steps of a use", () => {
    const steps = [...page.matchAll(/^\| `\.(\w+)\(/gm)].map(([, name]) => name).sort();
    const known = ["directView", "onDemandFeature"].flatMap((name) => makers.get(name)?.steps ?? []);
    expect(steps).toEqual([...new Set(known)].sort());
  });
});

describe("the example of the page", () => {
  const directory = temporaryDirectory("page");
  afterAll(() => directory.remove());

  it("compiles", () => {
    const errors = program.getSemanticDiagnostics(program.getSourceFile(exampleFile));
    expect(errors.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
    expect(example.length).toBeGreaterThan(1_000);
  });

  it("is a catalog, and uses every function", () => {
    const text = example.replaceAll(/"(@tributary\/[^"]+)"/g, (_, name: string) => `"${import.meta.resolve(name)}"`);
    writeFileSync(join(directory.path, "features.mts"), text);
    writeFileSync(join(directory.path, "vouchers.sql"), "select id, true as used from customers");
    const flags = ["--conditions=tributary-source", "--import", import.meta.resolve("tsx")];
    const child = fileURLToPath(new URL("../cli/load.child.ts", import.meta.url));
    const said = execFileSync(process.execPath, [...flags, child, "features.mts"], {
      cwd: directory.path,
      encoding: "utf8",
    });
    expect(JSON.parse(said)).toEqual([
      { views: expect.arrayContaining(["order_state", "shop_now", "shop_week", "from_file"]) },
    ]);
    for (const name of makers.keys()) expect(example, name).toContain(` ${name}(`);
  });
});

function optionsOfMaker(name: string): string[] {
  const maker = makers.get(name);
  if (maker === undefined) throw new Error(`no function ${name}`);
  return optionsOf(checker, maker).sort();
}

/** The text below a heading, up to the next of its level or above. */
function sectionOf(title: string, level: number): string {
  const start = page.indexOf(`\n${"#".repeat(level)} ${title}`);
  if (start < 0) throw new Error(`the page has no section ${title}`);
  const body = page.slice(page.indexOf("\n", start + 1));
  const end = body.search(new RegExp(`^#{2,${level}} `, "m"));
  return end < 0 ? body : body.slice(0, end);
}

/** What stands in backticks in the first column of its tables. */
function namesInRows(section: string): string[] {
  return section.split("\n").flatMap((line) => backticked(/^\| (`[^|]+) \|/.exec(line)?.[1] ?? ""));
}

function backticked(text: string): string[] {
  return [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name as string);
}

function compiled(files: readonly string[]) {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, "test/tsconfig.json"),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const options = { ...config?.options, noUnusedLocals: false };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const isExample = (name: string) => name === exampleFile;
  host.getSourceFile = (name, ...more) =>
    isExample(name)
      ? ts.createSourceFile(
          name,
          example,
          { languageVersion: ts.ScriptTarget.ES2023, impliedNodeFormat: ts.ModuleKind.ESNext },
          true,
        )
      : getSourceFile(name, ...more);
  host.fileExists = (name) => isExample(name) || fileExists(name);
  host.readFile = (name) => (isExample(name) ? example : readFile(name));
  const made = ts.createProgram({ rootNames: [...files], options, host });
  return { program: made, checker: made.getTypeChecker() };
}
