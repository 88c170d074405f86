import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { referencePages } from "../../scripts/reference-pages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("documentation", () => {
  it.each(Object.entries(referencePages()))("reference page %s says what the tables in code say", (name, page) => {
    expect(read(`docs/reference/${name}`), "run `npm run reference`").toBe(page);
  });

  it("names in the map files and symbols that exist", () => {
    const rows = [...read("docs/internals/map.md").matchAll(/^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \|/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(5);
    for (const [, file, symbol] of rows) {
      expect(existsSync(join(root, file as string)), file).toBe(true);
      expect(read(file as string), `${symbol} in ${file}`).toMatch(
        new RegExp(`export (async )?(function|const|class|interface|type) ${symbol}\\b`),
      );
    }
  });

  it("names for each rule of the protocol tests that exist", () => {
    const rows = [...read("docs/internals/protocol-cases.md").matchAll(/^\| [^|]+ \| `([^`]+)` \| (.+) \|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(40);
    for (const [, file, title] of rows) expect(read(file as string), `${title} in ${file}`).toContain(title as string);
  });

  it("has no dead links between its pages", () => {
    const pages = [
      "README.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      ...markdownIn("docs"),
      ...markdownIn("services"),
      ...markdownIn("examples"),
    ];
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map((match) => match[1] as string)
        .filter((target) => !existsSync(join(root, dirname(page), target)))
        .map((target) => `${page} → ${target}`),
    );
    expect(dead).toEqual([]);
  });
});

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => join(folder, name));
}
