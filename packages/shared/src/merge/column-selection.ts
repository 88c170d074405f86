import { TributaryError } from "../contracts/errors.ts";
import type { ReadColumn } from "../contracts/read.ts";
import { buildOnDemandColumn, columnsNeededBy, type OnDemandColumn, type OnDemandInput } from "./on-demand-column.ts";

/** All that a feature service has. */
export interface ServiceColumns<C extends { readonly name: string }> {
  readonly featureService: string;
  readonly catalogVersion: number;
  /** Stored ones. */
  readonly columns: readonly C[];
  /** Each behind those that it needs. */
  readonly onDemand: readonly OnDemandColumn[];
}

/** What one read of it needs. */
export interface Selection<C> {
  /** To be fetched: the stored columns asked for, and those that are only inputs. */
  readonly stored: readonly C[];
  readonly onDemand: readonly OnDemandColumn[];
  /** The reply's columns, in its order; undefined: the stored ones as they are. */
  readonly names: readonly string[] | undefined;
}

/** The columns a read asks for, in its order; all without a list. @throws TributaryError UNKNOWN_FEATURE */
export function selectColumns<C extends { readonly name: string }>(
  all: ServiceColumns<C>,
  names: readonly string[] | undefined,
): Selection<C> {
  const { columns: stored, onDemand } = all;
  if (names === undefined && onDemand.length === 0) return { stored, onDemand, names };
  const known = [...stored, ...onDemand].map(({ name }) => name);
  if (names === undefined) return { stored, onDemand, names: known };
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new TributaryError(
      "UNKNOWN_FEATURE",
      `feature service "${all.featureService}" has no feature "${unknown}" in catalog version ${all.catalogVersion}`,
    );
  const needed = columnsNeededBy(new Set(names), onDemand);
  return {
    stored: stored.filter(({ name }) => needed.has(name)),
    onDemand: onDemand.filter(({ name }) => needed.has(name)),
    names,
  };
}

/** The reply's columns: the stored ones as they were read, and those that are computed of them. */
export function replyColumns(
  { onDemand, names }: Selection<unknown>,
  stored: readonly ReadColumn[],
  input: Omit<OnDemandInput, "columns">,
): readonly ReadColumn[] {
  if (onDemand.length === 0) return inOrder(names, stored);
  const columns = new Map(stored.map((column) => [column.name, column]));
  for (const column of onDemand) columns.set(column.name, buildOnDemandColumn(column, { ...input, columns }));
  return inOrder(names, [...columns.values()]);
}

/** Columns by name in the order asked for; without one as they are. */
export function inOrder<C extends { readonly name: string }>(
  names: readonly string[] | undefined,
  columns: readonly C[],
): readonly C[] {
  if (names === undefined) return columns;
  const byName = new Map(columns.map((column) => [column.name, column]));
  return names.flatMap((name) => byName.get(name) ?? []);
}
