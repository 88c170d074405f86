import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A SQL file that could not be read: told when the view is compiled, together with what else is wrong. */
export interface MissingSql {
  readonly kind: "missingSql";
  /** What is wrong with it, behind "its SQL file". */
  readonly why: string;
}

/** The text of a SQL file beside the definitions: `sqlFile(new URL("./route_profile.sql", import.meta.url))`. */
export function sqlFile(url: URL): string | MissingSql {
  if (!(url instanceof URL) || url.protocol !== "file:")
    return missing('must be named by a file URL: sqlFile(new URL("./name.sql", import.meta.url))');
  try {
    return readFileSync(url, "utf8");
  } catch (error) {
    const path = fileURLToPath(url);
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    return missing(code === "ENOENT" ? `${path} is not there; check the name` : `${path} cannot be read (${code})`);
  }
}

export function isMissingSql(sql: string | MissingSql): sql is MissingSql {
  return typeof sql === "object" && sql?.kind === "missingSql";
}

function missing(why: string): MissingSql {
  return { kind: "missingSql", why };
}
