import { TributaryError } from "@tributary/shared/contracts/errors";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { requireCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { forgetErasure, readErasure } from "../erase/erasure-requests.ts";
import { readErasureStatus } from "../erase/erasure-status.ts";
import { neededBy } from "../erase/still-needed.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

export interface ForgetFlags {
  readonly force?: boolean;
}

/** The last place where the key stands in clear; what it was needed for must be over. */
export async function run({ args, options, settings }: Invocation<ForgetFlags>): Promise<CommandResult> {
  const [id = ""] = args;
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const erasure = await readErasure(await openBucket(connection, "TRIB_ERASURES"), id);
    if (erasure === undefined) throw new TributaryError("NOT_FOUND", "there is no such erasure");
    const status = await readErasureStatus(connection, erasure, await requireCurrentCatalog(connection));
    const reasons = neededBy(status, Date.now());
    if (reasons.length > 0 && options.force !== true) {
      const text = [`erasure ${id} is needed still:`, ...reasons.map((reason) => `  ${reason}`)].join("\n");
      return { data: { id, isForgotten: false, neededBy: reasons }, text, exitCode: exitCodes.partial };
    }
    await forgetErasure(connection, id);
    return { data: { id, isForgotten: true, neededBy: reasons }, text: `erasure ${id} is forgotten` };
  });
}
