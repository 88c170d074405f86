import {
  checkRequestKeys,
  parseReadRequest,
  type RequestShape,
  requestValues,
} from "@tributary/shared/admission/read-request";
import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { Catalog, Entity, FeatureService } from "@tributary/shared/contracts/catalog";
import { encodeEntityKey } from "@tributary/shared/contracts/entity-key";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply, ReadRequest } from "@tributary/shared/contracts/read";
import type { WriteToken } from "@tributary/shared/contracts/write";
import { replyColumns, type ServiceColumns, selectColumns } from "@tributary/shared/merge/column-selection";
import { planOnDemand } from "@tributary/shared/merge/on-demand-column";
import { buildColumn, type Column, type ColumnCell } from "@tributary/shared/merge/read-column";
import { type CurrentCell, columnOfCells, type StoredColumn } from "@tributary/shared/merge/stored-column";
import type { MemoryCells } from "./memory-cells.ts";
import type { MemoryStream } from "./memory-stream.ts";

export interface ReadWorld {
  readonly catalog: Catalog;
  readonly cells: MemoryCells;
  /** View → confirmed up to, epoch ms. */
  readonly confirmed: ReadonlyMap<string, number>;
  readonly rows: MemoryStream;
  readonly nowMs: number;
}

type ServiceColumn = FeatureService["columns"][number];

/** A column's cell and the way to it from a row of request keys. */
interface MemoryCell extends ColumnCell {
  readonly feature: string;
  readonly entity: Entity;
  /** Join key → request key. */
  readonly keys: Readonly<Record<string, string>>;
}

/** The store's answer, from the catalog and the cells. @throws TributaryError as the store does */
export function answerRead(world: ReadWorld, value: unknown): ReadReply {
  const request = parseReadRequest(value);
  const service = serviceOf(world.catalog, request.featureService);
  const shape = shapeOf(world.catalog, service);
  const selection = selectColumns(shape, request.features);
  for (const row of request.keys) checkRequestKeys(shape, row);
  for (const token of request.after ?? []) checkToken(world, token);
  const planned = selection.stored.map((column) => planColumn(world.catalog, column));
  const stored = (cell: MemoryCell) => storedCells(world, cell, request.keys);
  const detail = request.detail === true;
  const columns = planned.map((column) => buildColumn(column, { nowMs: world.nowMs, detail, stored }));
  const rows = requestValues(shape, request.keys);
  return {
    featureService: service.name,
    catalogVersion: world.catalog.version,
    epoch: "test",
    nowMs: world.nowMs,
    columns: replyColumns(selection, columns, { rows, detail, failed: () => {} }),
  };
}

function shapeOf(catalog: Catalog, service: FeatureService): RequestShape & ServiceColumns<ServiceColumn> {
  return {
    featureService: service.name,
    catalogVersion: catalog.version,
    requestKeys: service.requestKeys.map(({ name }) => name),
    requestFields: service.requestFields ?? [],
    columns: service.columns,
    onDemand: planOnDemand(catalog, service),
  };
}

function serviceOf({ featureServices, version }: Catalog, name: string): FeatureService {
  const service = Object.hasOwn(featureServices, name) ? featureServices[name] : undefined;
  if (service) return service;
  throw new TributaryError("UNKNOWN_SERVICE", `there is no feature service "${name}" in catalog version ${version}`);
}

/** What is written is readable at once: a token that is not is of no write of this stand-in. */
function checkToken({ catalog, rows }: ReadWorld, { view, incarnation, sequence }: WriteToken): void {
  if (!Object.hasOwn(catalog.views, view)) {
    throw new TributaryError("UNKNOWN_VIEW", `a token names view "${view}", which does not exist`);
  }
  if (incarnation === rows.incarnation && sequence <= rows.lastSequence) return;
  throw new TributaryError("TOKEN_TIMEOUT", `not readable yet: ${view} at ${sequence}`);
}

function planColumn(catalog: Catalog, { name, view, feature, keys, over = [] }: ServiceColumn): Column<MemoryCell> {
  const lowest = planCell(catalog, { view, feature, keys });
  // Layers share one default: that of the view which the feature service names.
  const layers = over.map((layer) => ({ ...planCell(catalog, { ...layer, keys }), fallback: lowest.fallback }));
  return { name, ...lowest, over: layers };
}

function planCell(
  catalog: Catalog,
  { view: viewName, feature: name, keys }: Pick<ServiceColumn, "view" | "feature" | "keys">,
): MemoryCell {
  const view = catalog.views[viewName];
  const entity = catalog.entities[view?.entity ?? ""];
  const feature = view?.features.find((candidate) => candidate.name === name);
  if (!view || !entity || !feature) {
    throw new TributaryError(
      "INVALID_DEFINITION",
      `a feature service names "${viewName}.${name}", which does not exist`,
    );
  }
  const fallback = feature.default === undefined ? null : toFeatureValue(feature, feature.default);
  const { lane, freshnessMs, ttlMs } = view;
  return { view: viewName, lane, freshnessMs, ttlMs, fallback, feature: name, entity, keys };
}

function storedCells({ cells, confirmed }: ReadWorld, cell: MemoryCell, rows: ReadRequest["keys"]): StoredColumn {
  const current = rows.map((row): CurrentCell | undefined => {
    const joinKeys = Object.entries(cell.keys).map(([joinKey, requestKey]) => [joinKey, row[requestKey]]);
    const key = encodeEntityKey(cell.entity, Object.fromEntries(joinKeys));
    const found = cells.of(cell.view, key).find((candidate) => candidate.feature === cell.feature);
    return found && { value: found.value, eventTime: found.version.eventTime, untilMs: null };
  });
  return columnOfCells(
    current,
    rows.map(() => confirmed.get(cell.view)),
  );
}
