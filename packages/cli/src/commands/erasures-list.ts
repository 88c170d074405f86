import { openBucket } from "@tributary/shared/messaging/bucket";
import type { Invocation } from "../command.ts";
import { countOf } from "../dlq/letter-choice.ts";
import { listErasures } from "../erase/erasure-requests.ts";
import type { CommandResult } from "../output.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

export interface ListFlags {
  readonly limit?: string;
}

const limitDefault = 20;

/** Without the keys. */
export async function run({ options, settings, output }: Invocation<ListFlags>): Promise<CommandResult> {
  const max = options.limit === undefined ? limitDefault : countOf(options.limit, "--limit");
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const { total, newest } = await listErasures(await openBucket(connection, "TRIB_ERASURES"), max);
    const erasures = newest.map(({ id, entity, requestedAtMs, receipts, isLifted }) => {
      return { id, entity, requestedAt: new Date(requestedAtMs).toISOString(), receipts, isLifted };
    });
    const title = ["erasure", "entity", "requested", "receipts", ""].map((name) => output.colors.dim(name));
    const rows = erasures.map((one) => {
      return [one.id, one.entity, one.requestedAt, one.receipts.join(", ") || "-", one.isLifted ? "lifted" : ""];
    });
    return { data: { total, erasures }, text: total === 0 ? "no erasures" : alignColumns([title, ...rows]) };
  });
}
