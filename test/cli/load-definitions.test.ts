import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const child = fileURLToPath(new URL("load.child.ts", import.meta.url));
const directory = temporaryDirectory("load");
const shared = (name: string) => import.meta.resolve(`@tributary/shared/definitions/${name}`);

/** A view of this name, and its imports where nothing else says them. */
const imports = `import { entity } from "${shared("entity")}";
import { bool, string } from "${shared("feature-type")}";
import { batchView, directView } from "${shared("view")}";
import { tableSource } from "${shared("source")}";
import { sqlFile } from "${shared("sql-file")}";
`;
const airport = `export const airport = entity("airport", { key: { code: string() } });\n`;
const viewOf = (name: string, freshness = "1m") =>
  `directView("${name}", { entity: airport, producers: [], freshness: "${freshness}" as "1m", features: { x: bool() } })`;
const plain = (name: string) => `${imports}${airport}export const view = ${viewOf(name)};\n`;
const asJs = (text: string) => text.replaceAll(' as "1m"', "");

const typed = `${imports}interface Unused {
  readonly longer: string;
}
${airport}export const late = ${viewOf("late", "soon")};
export const sound = ${viewOf("sound")};
export const later = ${viewOf("later", "never")};
`;
const esm = `{ "type": "module" }`;

const files: Record<string, string> = {
  "esm/package.json": esm,
  "esm/plain.ts": plain("plain"),
  "esm/script.js": asJs(plain("script")),
  "esm/script.mjs": asJs(plain("script_m")),
  "esm/list.ts": `${imports}${airport}export default [${viewOf("first")}, { second: ${viewOf("second")} }];\n`,
  "esm/typed.ts": typed,
  "esm/syntax.ts": `${imports}${airport}export const view = ;\n`,
  "esm/script-syntax.js": `export const a = 1;\nexport const b = ;\n`,
  "esm/missing.ts": `${imports}import { x } from "./nowhere.ts";\nexport const y = x;\n`,
  "esm/package-missing.ts": `import { x } from "no-such-package-here";\nexport const y = x;\n`,
  "esm/name-missing.ts": `${imports}\nimport { nope } from "./plain.ts";\nexport const y = nope;\n`,
  "esm/throws.ts": `${imports}interface Unused {\n  readonly a: string;\n}\nconst none = undefined as unknown as { a: string };\nexport const y = none.a;\n`,
  "esm/throws-text.ts": `throw "text";\n`,
  "esm/empty.ts": `export const a = 1;\n`,
  "esm/forever.ts": `await new Promise(() => setInterval(() => {}, 1_000));\nexport const a = 1;\n`,
  "esm/sql.ts": `${imports}${airport}const t = tableSource("t", { format: "csv", files: ["x"], fields: { code: string() } });
export const b = batchView("b", { entity: airport, from: [t], sql: sqlFile(new URL("./no.sql", import.meta.url)), every: "1h", freshness: "3h", features: { x: bool() } });
export const late = ${viewOf("late", "soon")};
`,
  "common/package.json": "{}",
  "common/typed.ts": typed,
  "common/await.ts": `await Promise.resolve();\nexport const a = 1;\n`,
  "common/missing.ts": `import { x } from "./nowhere.ts";\nexport const y = x;\n`,
  "common/module.mts": `${imports}await Promise.resolve();\n${airport}export const view = ${viewOf("module_m")};\n`,
  "folder/package.json": esm,
  "folder/airport.ts": `${imports}${airport}`,
  "folder/one.ts": `${imports}import { airport } from "./airport.ts";\nexport const one = ${viewOf("one")};\n`,
  "folder/two.mts": `${imports}import { airport } from "./airport.ts";\nexport const two = ${viewOf("two")};\n`,
  "folder/one.test.ts": `throw new Error("a test");\n`,
  "folder/vitest.config.ts": `throw new Error("a configuration");\n`,
  "folder/deeper/three.ts": `throw new Error("deeper");\n`,
  "bare/readme.md": "",
};

const paths = [
  ...Object.keys(files).filter((name) => /^(esm|common)\/.*[jt]s$/.test(name)),
  "folder",
  "bare",
  "gone.ts",
];
let answers: Map<string, unknown>;

beforeAll(() => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory.path, name)), { recursive: true });
    writeFileSync(join(directory.path, name), text);
  }
  const flags = ["--conditions=tributary-source", "--import", import.meta.resolve("tsx")];
  const options = { cwd: directory.path, encoding: "utf8" } as const;
  const said: unknown[] = JSON.parse(execFileSync(process.execPath, [...flags, child, ...paths], options));
  answers = new Map(paths.map((path, i) => [path, said[i]]));
});
afterAll(() => directory.remove());

/** The line of a file that begins with this text. */
function lineOf(name: string, text: string): number {
  return (files[name] ?? "").split("\n").findIndex((line) => line.startsWith(text)) + 1;
}

describe("definitions", () => {
  it.each([
    ["esm/plain.ts", ["plain"]],
    ["esm/script.js", ["script"]],
    ["esm/script.mjs", ["script_m"]],
    ["esm/list.ts", ["first", "second"]],
    ["common/module.mts", ["module_m"]],
    ["folder", ["one", "two"]],
  ])("are loaded from %s", (path, views) => {
    expect(answers.get(path)).toEqual({ views });
  });

  it.each(["esm", "common"])(
    "that are wrong are told with the lines of their file, in a package of kind %s",
    (kind) => {
      const file = `${kind}/typed.ts`;
      const at = (name: string) => ({
        file,
        line: lineOf(file, `export const ${name} `),
        definition: `view "${name}"`,
      });
      expect(answers.get(file)).toEqual({
        problems: [
          { ...at("late"), problem: 'freshness "soon" is not a duration; use one such as "15m"' },
          { ...at("later"), problem: 'freshness "never" is not a duration; use one such as "15m"' },
        ],
      });
    },
  );

  it("tell of a SQL file that is not there, together with the rest", () => {
    expect(answers.get("esm/sql.ts")).toEqual({
      problems: [
        {
          file: "esm/sql.ts",
          line: lineOf("esm/sql.ts", "export const b "),
          definition: 'view "b"',
          problem: `its SQL file ${join(directory.path, "esm/no.sql")} is not there; check the name`,
        },
        expect.objectContaining({ definition: 'view "late"' }),
      ],
    });
  });
});

describe("a module that cannot be loaded", () => {
  it.each([
    ["esm/syntax.ts", "export const view", 'does not parse: Unexpected ";"'],
    [
      "esm/name-missing.ts",
      "import { nope }",
      'imports "nope" of "./plain.ts", which exports no such name; check the spelling',
    ],
    [
      "esm/throws.ts",
      "export const y",
      "cannot be loaded: TypeError: Cannot read properties of undefined (reading 'a')",
    ],
    [
      "common/await.ts",
      "await",
      'cannot await at its top: it is a CommonJS module; say "type": "module" in package.json, or name it .mts',
    ],
  ])("is told with its line: %s", (file, line, problem) => {
    expect(answers.get(file)).toEqual({ problems: [{ file, line: lineOf(file, line), problem }] });
  });

  it.each([
    ["esm/missing.ts", "imports esm/nowhere.ts, which is not there; check the path and its extension"],
    ["common/missing.ts", "imports ./nowhere.ts, which is not there; check the path and its extension"],
    [
      "esm/package-missing.ts",
      'imports "no-such-package-here", which is not installed; add it to the dependencies in package.json',
    ],
    ["esm/script-syntax.js", "does not parse: Unexpected token ';'; node --check esm/script-syntax.js shows where"],
    ["esm/throws-text.ts", "throws a string, not an Error"],
  ])("is told with its file: %s", (file, problem) => {
    expect(answers.get(file)).toEqual({ problems: [{ file, problem }] });
  });

  it.each([
    ["esm/empty.ts", "esm/empty.ts exports no definitions; export them: export const airport = entity(…)"],
    ["esm/forever.ts", "esm/forever.ts is still loading after 0.3 s; look for an await at its top"],
    ["bare", "the folder bare holds no modules (*.ts, *.js); name the one with your definitions"],
    ["gone.ts", "there is no file gone.ts; name the module with your definitions"],
  ])("is told by its name: %s", (path, problem) => {
    expect(answers.get(path)).toEqual({ problems: [{ problem }] });
  });
});
