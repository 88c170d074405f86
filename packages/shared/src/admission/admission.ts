import { toFeatureValue } from "../codec/value-codec.ts";
import type { Catalog, Entity, View } from "../contracts/catalog.ts";
import { type FeatureValue, type Tombstone, tombstone } from "../contracts/chunk.ts";
import { encodeEntityKey, partitionOf } from "../contracts/entity-key.ts";
import { type ErrorCode, TributaryError } from "../contracts/errors.ts";
import type { Feature } from "../contracts/feature.ts";
import { limits } from "../contracts/limits.ts";
import type { WriteRequest } from "../contracts/write.ts";
import { cellBytes } from "./cell-bytes.ts";
import { admitEventTime } from "./event-time.ts";

/**
 * What may enter: each row is judged alone, against the catalog and the clock, so that one bad row never costs its
 * neighbours. Only what concerns the whole request (its view) is thrown.
 */
export type WriteRow = WriteRequest["rows"][number];

export interface AdmittedRow {
  /** Place in the request. */
  readonly index: number;
  readonly key: string;
  readonly partition: number;
  /** Epoch ms; null = the broker's timestamp decides (V4). */
  readonly eventTime: number | null;
  readonly cells: ReadonlyMap<string, FeatureValue | Tombstone>;
  /** Upper estimate of the row's share of a chunk. */
  readonly bytes: number;
}

export interface RefusedRow {
  readonly index: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface WritePlan {
  readonly view: View;
  readonly catalogVersion: number;
  readonly entity: Entity;
  readonly features: ReadonlyMap<string, Feature>;
  readonly partitions: number;
}

/** What writing a direct view needs, looked up once a request. @throws TributaryError UNKNOWN_VIEW, WRONG_LANE */
export function planWrite(catalog: Catalog, viewName: string): WritePlan {
  const plan = planRows(catalog, viewName);
  const { lane } = plan.view;
  if (lane === "direct") return plan;
  throw new TributaryError("WRONG_LANE", `view "${viewName}" is written by the ${lane} lane`);
}

/** The same for a view of any lane. @throws TributaryError UNKNOWN_VIEW */
export function planRows(catalog: Catalog, viewName: string): WritePlan {
  const view = Object.hasOwn(catalog.views, viewName) ? catalog.views[viewName] : undefined;
  if (!view) throw new TributaryError("UNKNOWN_VIEW", `there is no view "${viewName}"`);
  const entity = catalog.entities[view.entity];
  if (!entity)
    throw new TributaryError("INTERNAL", `entity "${view.entity}" of view "${viewName}" is not in the catalog`);
  const features = new Map(view.features.map((feature) => [feature.name, feature]));
  return { view, catalogVersion: catalog.version, entity, features, partitions: catalog.partitions };
}

export interface Admission {
  readonly admitted: readonly AdmittedRow[];
  readonly refused: readonly RefusedRow[];
}

/** Judges every row; `nowMs` is the clock's instant. */
export function admitRows(plan: WritePlan, rows: readonly WriteRow[], nowMs: number): Admission {
  const admitted: AdmittedRow[] = [];
  const refused: RefusedRow[] = [];
  rows.forEach((row, index) => {
    try {
      admitted.push(admitRow(plan, row, { index, nowMs }));
    } catch (error) {
      if (!(error instanceof TributaryError)) throw error;
      refused.push({ index, code: error.code, message: error.message });
    }
  });
  return { admitted, refused };
}

function admitRow(plan: WritePlan, row: WriteRow, place: { index: number; nowMs: number }): AdmittedRow {
  const key = encodeEntityKey(plan.entity, row.key);
  const cells = admitCells(plan, row);
  const eventTime = row.eventTime === undefined ? null : admitEventTime(row.eventTime, place.nowMs);
  const bytes = rowBytes(key, cells);
  if (bytes > limits.chunkBytesMax) {
    throw new TributaryError("LIMIT_EXCEEDED", `the row is larger than ${limits.chunkBytesMax} bytes`);
  }
  return {
    index: place.index,
    key,
    partition: partitionOf(key, plan.partitions),
    eventTime,
    cells,
    bytes,
  };
}

function admitCells(plan: WritePlan, row: WriteRow): Map<string, FeatureValue | Tombstone> {
  const cells = new Map<string, FeatureValue | Tombstone>();
  for (const [name, input] of Object.entries(row.features ?? {})) {
    cells.set(name, toFeatureValue(featureOf(plan, name), input));
  }
  for (const name of row.withdraw ?? []) {
    featureOf(plan, name);
    if (cells.has(name)) throw new TributaryError("BAD_VALUE", `feature "${name}" is both written and withdrawn`);
    cells.set(name, tombstone);
  }
  if (cells.size === 0) throw new TributaryError("BAD_VALUE", "the row neither writes nor withdraws a feature");
  return cells;
}

function featureOf(plan: WritePlan, name: string): Feature {
  const feature = plan.features.get(name);
  if (!feature) throw new TributaryError("UNKNOWN_FEATURE", `view "${plan.view.name}" has no feature "${name}"`);
  return feature;
}

function rowBytes(key: string, cells: AdmittedRow["cells"]): number {
  let bytes = key.length * 3 + 32;
  for (const [name, cell] of cells)
    bytes += name.length + 8 + (cell === tombstone ? 1 : cellBytes(cell as FeatureValue));
  return bytes;
}
