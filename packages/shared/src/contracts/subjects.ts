import type { Lane } from "./catalog.ts";
import { partitionToken } from "./entity-key.ts";

/**
 * Every subject (docs/internals/design.md §5). The partition stands before the name, so that one filter selects a partition and a
 * wildcard a view. Never an entity key in a subject.
 */
const prefix = "trib.v1";

export const subjects = {
  events: (source: string) => `${prefix}.events.${source}`,
  keyed: (partition: number, source: string, entity: string) =>
    `${prefix}.keyed.${partitionToken(partition)}.${source}.${entity}`,
  keyedPartition: (partition: number) => `${prefix}.keyed.${partitionToken(partition)}.*.*`,
  rows: (lane: Lane, partition: number, view: string) => `${prefix}.rows.${lane}.${partitionToken(partition)}.${view}`,
  rowsOfLane: (lane: Lane) => `${prefix}.rows.${lane}.*.*`,
  control: (topic: string) => `${prefix}.ctl.${topic}`,
  deadLetter: (lane: string, process: string) => `${prefix}.dlq.${lane}.${process}`,
  readFeatures: `${prefix}.read.features`,
  storeStatus: `${prefix}.store.status`,
  storeErasure: `${prefix}.store.erasure`,
  writeRows: `${prefix}.write.rows`,
  batchRun: `${prefix}.batch.run`,
  batchStatus: `${prefix}.batch.status`,
  batchRepublish: `${prefix}.batch.republish`,
  batchErasure: `${prefix}.batch.erasure`,
  streamStatus: `${prefix}.stream.status`,
  /** Of the partition's owner; `*`: of any. */
  streamRepublish: (partition: number | "*") =>
    `${prefix}.stream.republish.${partition === "*" ? partition : partitionToken(partition)}`,
} as const;

/** `trib.v1.rows.batch.p07.route_profile` → its parts; undefined for anything else. */
export function parseRowsSubject(subject: string): { lane: string; partition: number; view: string } | undefined {
  const match = /^trib\.v1\.rows\.(batch|stream|direct)\.p(\d{2,})\.([^.]+)$/.exec(subject);
  if (!match) return undefined;
  return { lane: match[1] as string, partition: Number(match[2]), view: match[3] as string };
}

/** `trib.v1.events.departures` → `departures`. */
export function sourceOfEventSubject(subject: string): string | undefined {
  return /^trib\.v1\.events\.([^.]+)$/.exec(subject)?.[1];
}
