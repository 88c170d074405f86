import type { Bucket } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import { sectionId } from "../core/shape.ts";

/** The view versions that any catalog version in KV names. */
export interface NamedSections {
  has(section: string): boolean;
  /** Looks again: a chunk is applied only when its catalog version is in KV, so what a record held before this is known then. */
  refresh(): Promise<void>;
}

/** @param bucket of the catalog @throws TributaryError UNAVAILABLE, UNSUPPORTED_FORMAT: then nothing may be taken for unnamed */
export function namedSections(bucket: Bucket, catalog: CatalogView): NamedSections {
  let named = new Set<string>();
  return {
    has: (section) => named.has(section),
    refresh: async () => {
      const next = new Set<string>();
      for (const key of await bucket.keys()) {
        const version = /^v\.(\d+)$/.exec(key)?.[1];
        const found = version === undefined ? undefined : await catalog.version(Number(version));
        for (const view of Object.values(found?.views ?? {})) next.add(sectionId(view.name, view.version));
      }
      named = next;
    },
  };
}
