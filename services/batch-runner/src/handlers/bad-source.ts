import { TributaryError } from "@tributary/shared/contracts/errors";
import type { TableSource } from "@tributary/shared/contracts/source";

/** What its owner has to mend before the source can be read. */
export function badSource(source: Pick<TableSource, "name">, why: string, cause?: unknown): TributaryError {
  return new TributaryError("BAD_SOURCE", `source "${source.name}": ${why}`, { cause });
}
