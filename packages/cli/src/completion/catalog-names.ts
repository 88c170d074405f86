import type { Catalog } from "@tributary/shared/contracts/catalog";

export const nameKinds = [
  "view",
  "batch-view",
  "direct-view",
  "source",
  "event-source",
  "entity",
  "feature-service",
  "subject",
] as const;
export type NameKind = (typeof nameKinds)[number];

/** Shells read these words again: nothing but plain names comes through. */
const plainName = /^[A-Za-z0-9_.-]+$/;

/** The names of a catalog that fit an argument, in order. */
export function catalogNames(catalog: Catalog, kind: NameKind): readonly string[] {
  return namesOf(catalog, kind)
    .filter((name) => plainName.test(name))
    .sort();
}

function namesOf({ views, sources, entities, featureServices }: Catalog, kind: NameKind): string[] {
  switch (kind) {
    case "view":
      return Object.keys(views);
    case "batch-view":
      return keysWhere(views, ({ lane }) => lane === "batch");
    case "direct-view":
      return keysWhere(views, ({ lane }) => lane === "direct");
    case "source":
      return Object.keys(sources);
    case "event-source":
      return keysWhere(sources, (source) => source.kind === "event");
    case "entity":
      return Object.keys(entities);
    case "feature-service":
      return Object.keys(featureServices);
    case "subject":
      return [...Object.keys(views), ...keysWhere(sources, (source) => source.kind === "event")];
    default:
      return kind satisfies never;
  }
}

function keysWhere<T>(record: Readonly<Record<string, T>>, fits: (value: T) => boolean): string[] {
  return Object.entries(record).flatMap(([name, value]) => (fits(value) ? [name] : []));
}
