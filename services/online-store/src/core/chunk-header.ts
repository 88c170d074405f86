import type { Catalog, View } from "@tributary/shared/contracts/catalog";
import type { Chunk } from "@tributary/shared/contracts/chunk";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { parseRowsSubject } from "@tributary/shared/contracts/subjects";

/**
 * The view of a chunk, after checking that subject, chunk and catalog agree on it.
 * @throws TributaryError MALFORMED, WRONG_LANE, WRONG_PARTITION, UNKNOWN_VIEW
 */
export function checkHeader(chunk: Chunk, subject: string, catalog: Catalog): View {
  const parts = parseRowsSubject(subject);
  if (parts === undefined || parts.view !== chunk.view) {
    throw new TributaryError("MALFORMED", `a chunk of view "${chunk.view}" came on subject ${subject}`);
  }
  if (parts.partition !== chunk.partition || chunk.partition >= catalog.partitions) {
    throw new TributaryError("WRONG_PARTITION", `a chunk of partition ${chunk.partition} came on subject ${subject}`);
  }
  const view = Object.hasOwn(catalog.views, chunk.view) ? catalog.views[chunk.view] : undefined;
  if (view === undefined) {
    throw new TributaryError("UNKNOWN_VIEW", `catalog version ${catalog.version} has no view "${chunk.view}"`);
  }
  if (view.lane !== chunk.lane || parts.lane !== chunk.lane) {
    throw new TributaryError(
      "WRONG_LANE",
      `view "${view.name}" is of lane ${view.lane}; the chunk came by ${parts.lane}`,
    );
  }
  if (view.version !== chunk.viewVersion) {
    throw new TributaryError(
      "MALFORMED",
      `view "${view.name}" has version ${view.version} in catalog version ${catalog.version}, the chunk says ${chunk.viewVersion}`,
    );
  }
  return view;
}
