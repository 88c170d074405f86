import type { Catalog } from "@tributary/shared/contracts/catalog";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Logger } from "@tributary/shared/runtime/logger";

/** Batch views by entity, of every catalog version there ever was: one that is gone from the catalog still has its files. */
export class EntityViews {
  readonly #catalog: CatalogView;
  readonly #logger: Logger;
  readonly #views = new Map<string, Set<string>>();
  #seen = 0;

  constructor(catalog: CatalogView, logger: Logger) {
    this.#catalog = catalog;
    this.#logger = logger;
  }

  /** @throws TributaryError UNAVAILABLE, also while no catalog is known */
  async refresh(): Promise<void> {
    const { current } = this.#catalog;
    if (current === undefined) throw new TributaryError("UNAVAILABLE", "no catalog is known yet");
    while (this.#seen < current.version) {
      const version = this.#seen + 1;
      const catalog = version === current.version ? current : await this.#read(version);
      if (catalog !== undefined) this.#note(catalog);
      this.#seen = version;
    }
  }

  of(entity: string): readonly string[] {
    return [...(this.#views.get(entity) ?? [])].sort();
  }

  /** One that this build cannot read must not keep the others from being purged. */
  async #read(version: number): Promise<Catalog | undefined> {
    try {
      return await this.#catalog.version(version);
    } catch (error) {
      if (error instanceof Error && "retryable" in error && error.retryable === true) throw error;
      this.#logger.error({ version, error: String(error) }, "batch views of this catalog version are not known");
      return undefined;
    }
  }

  #note({ views }: Catalog): void {
    for (const { lane, name, entity } of Object.values(views)) {
      if (lane !== "batch") continue;
      const names = this.#views.get(entity) ?? new Set();
      this.#views.set(entity, names.add(name));
    }
  }
}
