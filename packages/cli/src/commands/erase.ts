import { setTimeout as pause } from "node:timers/promises";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { encodeEntityKey } from "@tributary/shared/contracts/entity-key";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Connection } from "@tributary/shared/messaging/contract";
import { splitPair } from "../arguments.ts";
import { requireCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { countOf } from "../dlq/letter-choice.ts";
import { requestErasure } from "../erase/erasure-requests.ts";
import { type ErasureStatus, readErasureStatus } from "../erase/erasure-status.ts";
import { resultOf } from "../erase/show-erasure.ts";
import type { CommandResult } from "../output.ts";
import { withConnection } from "../with-connection.ts";

export interface EraseFlags {
  readonly yes?: boolean;
  readonly id?: string;
  readonly timeout?: string;
}

const timeoutSecondsDefault = 10;
const pollMs = 200;

export async function run(invocation: Invocation<EraseFlags>): Promise<CommandResult> {
  const { args, options, settings, output, interruption } = invocation;
  const [entity = "", ...pairs] = args;
  const { timeout } = options;
  const waitMs = 1_000 * (timeout === undefined ? timeoutSecondsDefault : countOf(timeout, "--timeout"));
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const catalog = await requireCurrentCatalog(connection);
    const key = keyOf(catalog, entity, pairs);
    if (!options.yes)
      throw new TributaryError("BAD_CONFIG", `one ${entity} would be erased, which cannot be undone; say --yes`);
    const erasure = await requestErasure(connection, { entity, key, id: options.id });
    interruption.underWay(() => `erasure ${erasure.id} is asked for; see \`tributary erasures show ${erasure.id}\``);
    return resultOf(await settled(connection, { erasure, catalog, waitMs }), output);
  });
}

/** @throws TributaryError NOT_FOUND, BAD_CONFIG, MISSING_KEY, UNKNOWN_KEY, BAD_KEY */
function keyOf(catalog: Catalog, name: string, pairs: readonly string[]): string {
  const entity = Object.hasOwn(catalog.entities, name) ? catalog.entities[name] : undefined;
  if (entity === undefined)
    throw new TributaryError("NOT_FOUND", `there is no entity "${name}" in catalog version ${catalog.version}`);
  return encodeEntityKey(entity, Object.fromEntries(pairs.map(splitPair)));
}

interface Wait {
  readonly erasure: Erasure;
  readonly catalog: Catalog;
  readonly waitMs: number;
}

/** Until nobody is pending, or nobody waits any longer. */
async function settled(connection: Connection, { erasure, catalog, waitMs }: Wait): Promise<ErasureStatus> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const status = await readErasureStatus(connection, erasure, catalog);
    if (!status.participants.some(({ state }) => state === "pending") || performance.now() >= deadline) return status;
    await pause(pollMs);
  }
}
