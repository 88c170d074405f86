import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");

it.each(readdirSync(new URL("guide/", import.meta.url)))("the guide on testing shows %s as it is run", (name) => {
  expect(read("../../docs/guides/test-your-application.md")).toContain(`\`\`\`ts\n${read(`guide/${name}`)}\`\`\``);
});
