import type { CatalogBody, Entity, View } from "@tributary/shared/contracts/catalog";
import type { Feature } from "@tributary/shared/contracts/feature";
import type { EventSource, TableSource } from "@tributary/shared/contracts/source";

/**
 * What every catalog that was ever current left behind. Records, snapshots and confirmations go by view name and view
 * version, and outlive a view's absence: whoever takes such a number again finds them, so its shape must still fit.
 */
export interface Past {
  /** By name, then by view version. */
  readonly views: ReadonlyMap<string, ReadonlyMap<number, ViewPast>>;
  /** As they last were. */
  readonly entities: ReadonlyMap<string, Entity>;
  readonly sources: ReadonlyMap<string, EventSource | TableSource>;
}

export interface ViewPast {
  /** As it last was. */
  readonly view: View;
  /** Every feature that this view version ever had, each as it last was. */
  readonly features: ReadonlyMap<string, Feature>;
  readonly keys: Entity["keys"];
}

/** The part of a catalog that leaves something behind. */
export type PastCatalog = Pick<CatalogBody, "entities" | "sources" | "views">;

export const noPast: Past = { views: new Map(), entities: new Map(), sources: new Map() };

export function pastOf(catalogs: Iterable<PastCatalog>): Past {
  const past = new PastCollector();
  for (const catalog of catalogs) past.add(catalog);
  return past;
}

/** Takes catalogs one after the other, oldest first, so that they need not be in memory together. */
export class PastCollector implements Past {
  readonly views = new Map<string, Map<number, ViewPast>>();
  readonly entities = new Map<string, Entity>();
  readonly sources = new Map<string, EventSource | TableSource>();

  add({ entities, sources, views }: PastCatalog): void {
    for (const entity of Object.values(entities)) this.entities.set(entity.name, entity);
    for (const source of Object.values(sources)) this.sources.set(source.name, source);
    for (const view of Object.values(views)) this.#addView(view, entities[view.entity]?.keys ?? []);
  }

  #addView(view: View, keys: Entity["keys"]): void {
    const versions = this.views.get(view.name) ?? new Map<number, ViewPast>();
    const features = new Map(versions.get(view.version)?.features);
    for (const feature of view.features) features.set(feature.name, feature);
    this.views.set(view.name, versions.set(view.version, { view, features, keys }));
  }
}

/** The greatest version that a view ever had; 0: it was never there. */
export function greatestVersion({ views }: Past, view: string): number {
  return Math.max(0, ...(views.get(view)?.keys() ?? []));
}
