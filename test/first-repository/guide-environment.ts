import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { findBinaries } from "@tributary/local/find-binaries";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a person's shell has: the tools, the servers, the clone's place; npm takes from its cache what it has there. */
export function guideEnvironment(): Readonly<Record<string, string>> {
  const { nats = "", redis = "" } = findBinaries();
  const { PATH = "", HOME = "", TMPDIR = "/tmp" } = process.env;
  const npm = Object.entries(process.env).filter(([name]) => /^npm_config_/i.test(name));
  return {
    ...Object.fromEntries(npm.map(([name, value]) => [name, value ?? ""])),
    PATH: [dirname(process.execPath), PATH, dirname(nats), dirname(redis)].join(":"),
    HOME,
    TMPDIR,
    NO_COLOR: "1",
    TRIBUTARY: root,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}
