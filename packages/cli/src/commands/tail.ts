import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { openTap } from "@tributary/shared/messaging/tap";
import { readCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { countOf } from "../dlq/letter-choice.ts";
import { unknownName } from "../near-names.ts";
import { type CommandResult, toJson } from "../output.ts";
import { describeMessage, messageLine } from "../tail/describe-message.ts";
import { lineSink } from "../tail/line-sink.ts";
import { withConnection } from "../with-connection.ts";

export interface TailFlags {
  readonly values?: boolean;
  readonly count?: string;
}

/** An interrupt is how this command ends: exit code 0, as for a reader that goes away. */
export async function run(invocation: Invocation<TailFlags>): Promise<CommandResult> {
  const { args, options, settings, output, world } = invocation;
  const max = options.count === undefined ? Number.POSITIVE_INFINITY : countOf(options.count, "--count");
  const ended = invocation.interruption.takeOver();
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const subject = await subjectOf(connection, args[0] ?? "");
    const sink = lineSink(world.stdout);
    let finish = () => {};
    const counted = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let seen = 0;
    const tap = await openTap(connection, subject, (message) => {
      if (seen >= max) return;
      seen += 1;
      const described = describeMessage(message, { atMs: Date.now(), values: options.values ?? false });
      sink.write(output.json ? toJson(described) : messageLine(described));
      if (seen >= max) finish();
    });
    output.note(`listening on ${subject}`);
    await Promise.race([ended, counted, sink.closed, tap.failed]).finally(() => tap.stop());
    await sink.flush();
    if (sink.dropped > 0) output.note(`${sink.dropped} messages left out: they came faster than they could be printed`);
    return { data: { messages: seen }, text: "", streamed: true };
  });
}

/** A subject has a dot or a wildcard; anything else is the name of a view or source. */
async function subjectOf(connection: Connection, wanted: string): Promise<string> {
  if (/[.*>]/.test(wanted)) return checkedSubject(wanted);
  const catalog = await readCurrentCatalog(connection);
  const found = catalog && subjectOfName(catalog, wanted);
  if (found !== undefined) return found;
  const names = [...Object.keys(catalog?.views ?? {}), ...Object.keys(catalog?.sources ?? {})];
  throw unknownName("NOT_FOUND", "view or source", wanted, names);
}

function subjectOfName({ views, sources }: Catalog, name: string): string | undefined {
  const view = Object.hasOwn(views, name) ? views[name] : undefined;
  if (view) return subjects.rows(view.lane, 0, name).replace(".p00.", ".*.");
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  return source?.kind === "event" ? subjects.events(name) : undefined;
}

/** @throws TributaryError BAD_CONFIG */
function checkedSubject(subject: string): string {
  const tokens = subject.split(".");
  const isWhole = tokens.every(
    (token, i) =>
      (/^[^\s*>]+$/.test(token) || token === "*" || (token === ">" && i === tokens.length - 1)) && token !== "",
  );
  if (isWhole) return subject;
  throw new TributaryError("BAD_CONFIG", `"${subject}" is no subject: tokens between dots, * for one, > for the rest`);
}
