import { TributaryError } from "@tributary/shared/contracts/errors";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { requireCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { readErasure } from "../erase/erasure-requests.ts";
import { readErasureStatus } from "../erase/erasure-status.ts";
import { resultOf } from "../erase/show-erasure.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

export async function run({ args, settings, output }: Invocation): Promise<CommandResult> {
  const [id = ""] = args;
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const erasure = await readErasure(await openBucket(connection, "TRIB_ERASURES"), id);
    if (erasure === undefined) throw new TributaryError("NOT_FOUND", "there is no such erasure");
    const catalog = await requireCurrentCatalog(connection);
    return resultOf(await readErasureStatus(connection, erasure, catalog), output);
  });
}
