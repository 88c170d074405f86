import { readFileSync } from "node:fs";

/** The text of a SQL file beside the definitions: `sqlFile(new URL("./route_profile.sql", import.meta.url))`. */
export function sqlFile(url: URL): string {
  return readFileSync(url, "utf8");
}
