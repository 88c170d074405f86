import type { CatalogBody } from "@tributary/shared/contracts/catalog";
import type { Difference } from "./difference.ts";

export type ChangeKind = "addition" | "compatible" | "breaking" | "removal";
export type Subject = "environment" | "entity" | "source" | "view" | "feature" | "featureService";
/** What has to happen before the change can be applied. */
export type Need = "newVersion" | "newName" | "newEnvironment" | "allowDestroy";

/** One thing that applying would add, change or remove. */
export interface Change {
  readonly kind: ChangeKind;
  readonly what: Subject;
  /** A feature is `view.feature`. */
  readonly name: string;
  readonly differences: readonly Difference[];
  /** null: it can be applied as it is. */
  readonly needs: Need | null;
  /** What to do about `needs`; null with it. */
  readonly fix: string | null;
  /** Feature services of the current catalog whose readers notice; only of breaking changes and removals. */
  readonly breaks: readonly string[];
}

export interface Remedy {
  readonly needs: Need;
  readonly fix: string;
}

type Facts = Partial<Pick<Change, "differences" | "breaks">>;

export function addition(what: Subject, name: string): Change {
  return { kind: "addition", what, name, differences: [], needs: null, fix: null, breaks: [] };
}

export function removal(what: Subject, name: string, remedy: Remedy | null, { breaks = [] }: Facts = {}): Change {
  return { kind: "removal", what, name, differences: [], needs: null, fix: null, ...remedy, breaks };
}

/** Nothing when nothing differs; compatible when no difference breaks; else breaking, mended by the remedy. */
export function changeOf(
  what: Subject,
  name: string,
  { differences, remedy, breaks }: { differences: Difference[]; remedy: Remedy | null; breaks: readonly string[] },
): Change[] {
  if (differences.length === 0) return [];
  const change = { what, name, differences, needs: null, fix: null };
  if (!differences.some(({ breaking }) => breaking)) return [{ ...change, kind: "compatible", breaks: [] }];
  return [{ ...change, kind: "breaking", ...remedy, breaks }];
}

/** Feature services with a column, or a layer over one, that this holds for; in order of their names. */
export function servicesOn(
  catalog: CatalogBody,
  matches: (place: { readonly view: string; readonly feature: string }) => boolean,
): string[] {
  return Object.values(catalog.featureServices)
    .filter(({ columns }) => columns.some((column) => placesOf(column).some(matches)))
    .map(({ name }) => name)
    .sort();
}

interface Place {
  readonly view: string;
  readonly feature: string;
}

function placesOf(column: Place & { readonly over?: readonly Place[] | undefined }): readonly Place[] {
  return [column, ...(column.over ?? [])];
}
