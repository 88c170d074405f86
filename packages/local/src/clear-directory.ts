import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { assertNotInUse } from "./directory-claim.ts";
import { endLeftovers } from "./leftovers.ts";
import { relocatedDirectory } from "./server-user.ts";

/**
 * Removes a data directory with all servers' data, after ending what a dead owner left running in it.
 * @throws TributaryError BAD_CONFIG when a living process owns it, or when it is not one of ours
 */
export async function clearDirectory(directory: string): Promise<void> {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  if (!existsSync(join(directory, "credentials.json"))) {
    throw new TributaryError("BAD_CONFIG", `${directory} is not a data directory of Tributary: it is left as it is`);
  }
  assertNotInUse(directory);
  await endLeftovers(directory);
  const relocated = relocatedDirectory(directory);
  for (const path of [relocated, directory]) {
    if (path !== undefined) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
}
