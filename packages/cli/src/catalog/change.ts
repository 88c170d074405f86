import type { CatalogBody, Lane } from "@tributary/shared/contracts/catalog";
import type { Difference } from "./difference.ts";

export type ChangeKind = "addition" | "compatible" | "breaking" | "removal";
export type Subject = "environment" | "entity" | "source" | "onDemandFeature" | "view" | "feature" | "featureService";
/** What has to happen before the change can be applied. */
export type Need = "newVersion" | "newName" | "newEnvironment" | "allowDestroy" | "goBack";

/** One thing that applying would add, change or remove. */
export interface Change {
  readonly kind: ChangeKind;
  readonly what: Subject;
  /** A feature is `view.feature`. */
  readonly name: string;
  /** Of a view or feature: the lane that produces it from now on, or did until now; else null. */
  readonly lane: Lane | null;
  /** Why it is of this kind, as a sentence. */
  readonly reason: string;
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

/** What changes. */
export interface Place {
  readonly what: Subject;
  readonly name: string;
  readonly lane?: Lane;
}

/** The ordinary reason of an addition. */
export const isNew = "nothing of this name is there yet";

export function addition(place: Place, reason = isNew): Change {
  return { kind: "addition", ...whereOf(place), reason, differences: [], needs: null, fix: null, breaks: [] };
}

export function removal(place: Place, remedy: Remedy | null, breaks: readonly string[] = []): Change {
  const reason = "it is not defined any more; what is stored of it stays and is not read";
  return { kind: "removal", ...whereOf(place), reason, differences: [], needs: null, fix: null, ...remedy, breaks };
}

interface Facts {
  readonly differences: readonly Difference[];
  readonly remedy: Remedy | null;
  readonly breaks: readonly string[];
  /** Of a breaking change that is agreed to: what it does. */
  readonly reason?: string;
}

/** Nothing when nothing differs; compatible when no difference breaks; else breaking, mended by the remedy. */
export function changeOf(place: Place, { differences, remedy, breaks, reason }: Facts): Change[] {
  if (differences.length === 0) return [];
  const change = { ...whereOf(place), differences, needs: null, fix: null };
  const fields = differences.filter(({ breaking }) => breaking).map(({ field }) => field);
  if (fields.length === 0) {
    return [{ ...change, kind: "compatible", reason: "stored values and readers keep their meaning", breaks: [] }];
  }
  const harm = `stored values or readers do not survive another ${fields.join(", ")}`;
  return [{ ...change, kind: "breaking", reason: reason ?? harm, ...remedy, breaks }];
}

function whereOf({ what, name, lane }: Place): Pick<Change, "what" | "name" | "lane"> {
  return { what, name, lane: lane ?? null };
}

/** Feature services with a column, or a layer over one, that this holds for; in order of their names. */
export function servicesOn(
  catalog: CatalogBody,
  matches: (cell: { readonly view: string; readonly feature: string }) => boolean,
): string[] {
  return Object.values(catalog.featureServices)
    .filter(({ columns }) => columns.some((column) => cellsOf(column).some(matches)))
    .map(({ name }) => name)
    .sort();
}

interface Cell {
  readonly view: string;
  readonly feature: string;
}

function cellsOf(column: Cell & { readonly over?: readonly Cell[] | undefined }): readonly Cell[] {
  return [column, ...(column.over ?? [])];
}
