import { TributaryError } from "@tributary/shared/contracts/errors";
import type { Connection } from "@tributary/shared/messaging/contract";
import { unknownName } from "../near-names.ts";
import { readCurrentCatalog } from "./current.ts";

/**
 * The broker takes events of any name, also one that nobody will ever read: a person who publishes by hand is told.
 * While no catalog is applied, every name may come to be.
 * @throws TributaryError UNKNOWN_SOURCE
 */
export async function requireEventSource(connection: Connection, name: string): Promise<void> {
  const catalog = await readCurrentCatalog(connection);
  if (!catalog) return;
  const found = Object.hasOwn(catalog.sources, name) ? catalog.sources[name] : undefined;
  if (found?.kind === "event") return;
  if (found) throw new TributaryError("UNKNOWN_SOURCE", `source "${name}" is a table: the batch lane reads it`);
  const names = Object.values(catalog.sources).filter(({ kind }) => kind === "event");
  throw unknownName(
    "UNKNOWN_SOURCE",
    "event source",
    name,
    names.map((source) => source.name),
  );
}
