import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { referencePages } from "./reference-pages.ts";

/** Writes docs/reference from the tables in code; a test sees when a page is behind. */
const folder = fileURLToPath(new URL("../docs/reference/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, page] of Object.entries(referencePages())) writeFileSync(`${folder}${name}`, page);
