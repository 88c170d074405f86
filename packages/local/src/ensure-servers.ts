import { asTributaryError } from "@tributary/shared/contracts/errors";
import { serverNames } from "./find-binaries.ts";
import { ensureBinaries } from "./install-servers.ts";

// Finds or installs the servers that are not somewhere else, so that nothing later stops for it: see scripts/bootstrap.mjs.
const variables = { nats: "NATS_URL", redis: "REDIS_URL", postgres: "DATABASE_URL" } as const;
const need = serverNames.filter((name) => !process.env[variables[name]]);

try {
  await ensureBinaries(need, { yes: process.argv.includes("--yes") });
} catch (error) {
  process.stderr.write(`${asTributaryError(error).message}\n`);
  process.exitCode = 1;
}
