import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkMarkers } from "./markers.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const config = join(folder, "../tsconfig.json");
const files = readdirSync(folder).filter((name) => name.endsWith(".test-d.ts"));
const texts = new Map(files.map((name) => [join(folder, name), readFileSync(join(folder, name), "utf8")]));
const { markers, strays } = checkMarkers(texts, config);

describe("without its marker the compiler refuses, on that very line,", () => {
  it.each(markers.map((marker) => [`${marker.why} (${basename(marker.file)}:${marker.line})`, marker]))(
    "%s",
    (_what, { errors }) => {
      expect(errors).not.toEqual([]);
    },
  );
});

it("nothing is refused that no marker marks", () => {
  expect(strays).toEqual([]);
  expect(markers.length).toBeGreaterThan(50);
});

it("a marker over a right use is found, and an error beside its marker too", () => {
  const path = join(folder, "planted.ts");
  const text = `
// @ts-expect-error right as it is
export const right: number = 1;
// @ts-expect-error wrong
export const wrong: number = "x";
// @ts-expect-error one line too high
export const object = {
  odd: Math.floor("x"),
};`;
  const planted = checkMarkers(new Map([[path, text]]), config);
  expect(planted.markers.map(({ why, errors }) => [why, errors.length])).toEqual([
    ["right as it is", 0],
    ["wrong", 1],
    ["one line too high", 0],
  ]);
  expect(planted.strays).toEqual([expect.stringContaining("planted.ts:8 ")]);
});
