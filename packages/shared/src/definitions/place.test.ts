import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "./canonical-json.ts";
import { compileDefinitions } from "./compile.ts";
import { entity } from "./entity.ts";
import { featureService } from "./feature-service.ts";
import { float64, string } from "./feature-type.ts";
import { placeInStack, placeOf } from "./place.ts";
import { DefinitionError } from "./problems.ts";
import { directView } from "./view.ts";

const file = fileURLToPath(import.meta.url);
const lineOf = (text: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .findIndex((line) => line.startsWith(text)) + 1;

const airport = entity("airport", { key: { code: string() } });
const common = { entity: airport, producers: [], features: { score: float64() } };
const tower = directView("tower", { ...common, freshness: "1m" });
const hasty = directView("hasty", { ...common, freshness: "soon" as "1m", ttl: "never" as "1m" });

describe("the place of a definition", () => {
  it("is the file and line where its author made it", () => {
    expect(placeOf(airport)).toEqual({ file, line: lineOf("const airport") });
    expect(placeOf(tower)).toEqual({ file, line: lineOf("const tower") });
  });

  it("is told with every problem, as text and as data", () => {
    const compiling = () => compileDefinitions([featureService("s", [hasty.on({ code: "at" }).prefix("x_")])]);
    const at = { file: relative(process.cwd(), file), line: lineOf("const hasty"), definition: 'view "hasty"' };
    expect(compiling).toThrow(DefinitionError);
    expect(compiling).toThrow(
      expect.objectContaining({
        code: "INVALID_DEFINITION",
        message: expect.stringContaining(`${at.file}:${at.line} view "hasty" freshness "soon" is not a duration`),
        problems: [
          { ...at, problem: expect.stringContaining("freshness") },
          { ...at, problem: expect.stringContaining("ttl") },
        ],
      }),
    );
  });

  it("reaches neither the catalog nor a copy of the definition", () => {
    const elsewhere = directView("tower", { ...common, freshness: "1m" });
    expect(fingerprintOf(compileDefinitions([elsewhere]))).toBe(fingerprintOf(compileDefinitions([tower])));
    expect(JSON.stringify(tower)).not.toContain(".test.ts");
    expect(placeOf({ ...tower })).toBeUndefined();
  });
});

describe("a stack", () => {
  it.each([
    ["    at <anonymous> (/home/me/features.ts:6:20)", { file: "/home/me/features.ts", line: 6 }],
    ["    at file:///home/me/my%20features.ts?namespace=1:6:20", { file: "/home/me/my features.ts", line: 6 }],
    ["    at async /home/me/features.ts:6:20", { file: "/home/me/features.ts", line: 6 }],
    [
      "    at f (data:text/javascript,x%0A?filePath=%2Fhome%2Fme%2Ff.ts%3Fnamespace%3D1:2:8)",
      { file: "/home/me/f.ts" },
    ],
    ["    at ModuleJob.run (node:internal/modules/esm/module_job:325:25)", undefined],
    ["TypeError: /home/me/features.ts:6:20", undefined],
  ])("with the line %s gives %j", (line, place) => {
    expect(placeInStack(`Error\n${line}\n    at node:internal/x:1:1`)).toEqual(place);
  });
});
