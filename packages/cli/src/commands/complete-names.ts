import { setTimeout as wait } from "node:timers/promises";
import { openConnection } from "@tributary/shared/messaging/connection";
import { readCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { catalogNames, type NameKind, nameKinds } from "../completion/catalog-names.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CommandResult } from "../output.ts";

/** Somebody has pressed a key: what is not known by then is not offered, and nothing is said about it. */
const answerMsMax = 300;

/** Called by the completion scripts: a name a line. */
export async function run(invocation: Invocation): Promise<CommandResult> {
  const silence = wait(answerMsMax, [], { ref: false });
  const names = await Promise.race([readNames(invocation), silence]).catch(() => []);
  invocation.output.print(names.map((name) => `${name}\n`).join(""));
  // An attempt to connect may still be under way.
  invocation.world.exit(exitCodes.ok);
  return { data: { names }, text: "", streamed: true };
}

async function readNames({ args, settings }: Invocation): Promise<readonly string[]> {
  const kind = nameKinds.find((one): one is NameKind => one === args[0]);
  if (kind === undefined) return [];
  const connection = await openConnection({ url: settings.natsUrl(), name: "tributary-cli", startMsMax: answerMsMax });
  const catalog = await readCurrentCatalog(connection);
  return catalog ? catalogNames(catalog, kind) : [];
}
