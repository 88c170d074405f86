import { setTimeout as pause } from "node:timers/promises";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadRequest } from "@tributary/shared/contracts/read";
import type { WriteToken } from "@tributary/shared/contracts/write";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Records } from "../adapters/redis-records.ts";
import { knowingShapes } from "../adapters/redis-shapes.ts";
import { readCells } from "../core/cell-merge.ts";
import { decodeRecord } from "../core/record.ts";
import { sectionId } from "../core/shape.ts";
import { viewRecordKey } from "../core/store-keys.ts";
import { isReadable } from "../core/token.ts";
import type { StoreState } from "./track-progress.ts";

interface TokenContext {
  readonly catalog: CatalogView;
  readonly records: Records;
  readonly state: StoreState;
}

const waitMsDefault = 1_000;
const pollMs = 5;
const pollMsMax = 20;

/**
 * Waits until every write of the tokens is readable (D3), by looking at their records in Redis: so any instance may have
 * applied them.
 * @throws TributaryError TOKEN_TIMEOUT, UNKNOWN_VIEW, UNAVAILABLE
 */
export async function awaitTokens(context: TokenContext, request: ReadRequest, deadlineMs: number): Promise<void> {
  const until = Math.min(Date.now() + (request.waitMs ?? waitMsDefault), deadlineMs);
  let waiting = locateTokens(context.catalog, request.after ?? []);
  for (let wait = pollMs; ; wait = Math.min(wait * 2, pollMsMax)) {
    waiting = await stillWaiting(context, waiting);
    if (waiting.length === 0) return;
    if (Date.now() + wait > until) throw timeout(waiting);
    await pause(wait);
  }
}

interface LocatedToken {
  readonly token: WriteToken;
  readonly key: string;
  readonly partition: number;
  readonly section: string;
}

function locateTokens({ current }: CatalogView, tokens: readonly WriteToken[]): LocatedToken[] {
  if (current === undefined) throw new TributaryError("UNAVAILABLE", "no catalog has been applied yet");
  return tokens.map((token) => locateToken(current, token));
}

function locateToken(catalog: Catalog, token: WriteToken): LocatedToken {
  const view = Object.hasOwn(catalog.views, token.view) ? catalog.views[token.view] : undefined;
  if (view === undefined)
    throw new TributaryError("UNKNOWN_VIEW", `a token names view "${token.view}", which does not exist`);
  const partition = partitionOf(token.key, catalog.partitions);
  const key = viewRecordKey(partition, view, token.key);
  return { token, key, partition, section: sectionId(view.name, view.version) };
}

async function stillWaiting(
  { records, state }: TokenContext,
  located: readonly LocatedToken[],
): Promise<LocatedToken[]> {
  const keys = located.map((one) => one.key);
  const stored = await records.read(keys, "latest");
  return knowingShapes(records.shapes, keys, () =>
    located.filter(({ token, partition, section }, i) => {
      const bytes = stored[i] ?? null;
      const cells = bytes === null ? [] : readCells(decodeRecord(bytes, records.shapes).sections.get(section));
      return !isReadable(token, cells, state.floor(partition, "direct"));
    }),
  );
}

function timeout(waiting: readonly LocatedToken[]): TributaryError {
  const sequences = waiting.map(({ token }) => `${token.view} at ${token.sequence}`).slice(0, 5);
  return new TributaryError("TOKEN_TIMEOUT", `not readable yet: ${sequences.join(", ")}`);
}
