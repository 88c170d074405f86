import { TributaryError } from "@tributary/shared/contracts/errors";
import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Invocation } from "../command.ts";
import { liftErasure, readErasure } from "../erase/erasure-requests.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

/** What was erased stays erased; only batch runs keep the key out no longer. */
export async function run({ args, settings }: Invocation): Promise<CommandResult> {
  const [id = ""] = args;
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const bucket = await openBucket(connection, "TRIB_ERASURES");
    const erasure = await readErasure(bucket, id);
    if (erasure === undefined) throw new TributaryError("NOT_FOUND", "there is no such erasure");
    const { atMs } = await liftErasure(bucket, id);
    const { entity, eventTime } = erasure;
    const [liftedAt, erasedUpTo] = [new Date(atMs).toISOString(), new Date(eventTime).toISOString()];
    const text =
      `erasure ${id} of one ${entity} is lifted since ${liftedAt}: ` +
      `runs of intervals that end after ${erasedUpTo} take the key again`;
    return { data: { id, entity, liftedAt, erasedUpTo }, text };
  });
}
