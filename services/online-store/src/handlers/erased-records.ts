import { type Catalog, defaultPartitions } from "@tributary/shared/contracts/catalog";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { Erasure } from "@tributary/shared/contracts/erasure";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Logger } from "@tributary/shared/runtime/logger";
import { recordKey, viewRecordKey } from "../core/store-keys.ts";

/** One record that an erasure is about. */
export interface ErasedRecord {
  /** Null: the entity's; else the view whose own it is. */
  readonly view: string | null;
  readonly key: string;
}

/**
 * Where cells of an entity key may be: in the entity's record, and in the own records of every view that any catalog version
 * ever gave one.
 */
export class ErasedRecords {
  readonly #catalog: CatalogView;
  readonly #logger: Logger;
  readonly #ownViews = new Map<string, Set<string>>();
  #partitions = defaultPartitions;
  #seen = 0;

  constructor(catalog: CatalogView, logger: Logger) {
    this.#catalog = catalog;
    this.#logger = logger;
  }

  /** The catalog version up to which views are known. @throws TributaryError UNAVAILABLE */
  async refresh(): Promise<number> {
    const { current } = this.#catalog;
    while (current !== undefined && this.#seen < current.version) {
      const version = this.#seen + 1;
      const catalog = version === current.version ? current : await this.#read(version);
      if (catalog !== undefined) this.#note(catalog);
      this.#seen = version;
    }
    return this.#seen;
  }

  of({ entity, key }: Pick<Erasure, "entity" | "key">): ErasedRecord[] {
    const partition = partitionOf(key, this.#partitions);
    const own = [...(this.#ownViews.get(entity) ?? [])].sort();
    return [
      { view: null, key: recordKey(partition, entity, key) },
      ...own.map((name) => ({ view: name, key: viewRecordKey(partition, { name, entity, ownRecord: true }, key) })),
    ];
  }

  /** One that this build cannot read must not keep the others from being erased. */
  async #read(version: number): Promise<Catalog | undefined> {
    try {
      return await this.#catalog.version(version);
    } catch (error) {
      if (error instanceof Error && "retryable" in error && error.retryable === true) throw error;
      this.#logger.error({ version, error: String(error) }, "own records of this catalog version are not known");
      return undefined;
    }
  }

  #note({ views, partitions }: Catalog): void {
    this.#partitions = partitions;
    for (const { name, entity, ownRecord } of Object.values(views)) {
      if (ownRecord !== true) continue;
      const names = this.#ownViews.get(entity) ?? new Set();
      this.#ownViews.set(entity, names.add(name));
    }
  }
}
