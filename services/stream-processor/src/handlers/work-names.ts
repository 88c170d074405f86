import type { Catalog } from "@tributary/shared/contracts/catalog";
import { routedSources } from "../core/routing-plan.ts";

/** A piece of work that one instance at a time does; its lease bears its name. */
export type Work =
  | { readonly kind: "route"; readonly source: string; readonly shard: number; readonly shards: number }
  | { readonly kind: "partition"; readonly partition: number };

/** Lease names by kind: each kind is shared out by itself. */
export function leasesOf(work: ReadonlyMap<string, Work>): Map<Work["kind"], string[]> {
  const leases = new Map<Work["kind"], string[]>();
  for (const [name, { kind }] of work) leases.set(kind, [...(leases.get(kind) ?? []), name]);
  return leases;
}

/** Everything that a catalog asks of the stream lane, by lease name. */
export function workOf(catalog: Catalog): Map<string, Work> {
  const work = new Map<string, Work>();
  const sources = routedSources(catalog);
  for (const { name: source, shards } of sources)
    for (let shard = 0; shard < shards; shard++)
      work.set(`stream:route:${source}:${shard}`, { kind: "route", source, shard, shards });
  if (sources.length === 0) return work;
  for (let partition = 0; partition < catalog.partitions; partition++)
    work.set(`stream:partition:${partition}`, { kind: "partition", partition });
  return work;
}
