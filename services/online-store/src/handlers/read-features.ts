import { parseReadRequest, requestValues } from "@tributary/shared/admission/read-request";
import { TributaryError } from "@tributary/shared/contracts/errors";
import type { ReadReply } from "@tributary/shared/contracts/read";
import { replyColumns, selectColumns } from "@tributary/shared/merge/column-selection";
import { buildColumn, type StoredCells } from "@tributary/shared/merge/read-column";
import type { CurrentCell } from "@tributary/shared/merge/read-view";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Clock } from "@tributary/shared/runtime/clock-client";
import type { Records } from "../adapters/redis-records.ts";
import { knowingShapes } from "../adapters/redis-shapes.ts";
import { compileReadPlan, type PlannedCell, type ReadPlan } from "../core/read-plan.ts";
import { locateRows } from "../core/read-rows.ts";
import { type RecordReading, readRecord } from "../core/record-read.ts";
import { awaitTokens } from "./await-tokens.ts";
import type { StoreState } from "./track-progress.ts";

export interface ReadContext {
  readonly catalog: CatalogView;
  readonly clock: Clock;
  readonly records: Records;
  readonly state: StoreState;
  /** The plan of a feature service under the current catalog. @throws TributaryError UNKNOWN_SERVICE, UNAVAILABLE */
  readonly plan: (featureService: string) => ReadPlan;
  /** Hears how many rows of an on-demand feature could not be evaluated. */
  readonly onDemandFailed: (feature: string, rows: number) => void;
}

/**
 * Feature values for request keys, by one catalog version throughout (L4) and one look at the records.
 * @param value the decoded request
 * @param deadlineMs real epoch ms after which nobody waits
 * @throws TributaryError MALFORMED, UNKNOWN_SERVICE, UNKNOWN_FEATURE, MISSING_KEY, MISSING_FIELD, UNKNOWN_KEY, BAD_KEY,
 *   BAD_VALUE, TOKEN_TIMEOUT, UNAVAILABLE, CORRUPT
 */
export async function readFeatures(context: ReadContext, value: unknown, deadlineMs: number): Promise<ReadReply> {
  const request = parseReadRequest(value);
  const plan = context.plan(request.featureService);
  const selection = selectColumns(plan, request.features);
  const rows = locateRows(plan, selection.stored, request.keys);
  const given = requestValues(plan, request.keys);
  if (request.after !== undefined) await awaitTokens(context, request, deadlineMs);
  const records = await context.records.read(rows.keys);
  // After the fetch, so that no value is from ahead of the instant its age is measured at.
  const nowMs = context.clock.now();
  const { shapes } = context.records;
  const cells = await knowingShapes(shapes, rows.keys, () =>
    plan.fetches.map((fetch, index) =>
      decode(records, rows.places[index] ?? [], { plan: fetch.record, shapes, nowMs }),
    ),
  );
  const stored = ({ fetch, place: cellPlace, view, viewVersion }: PlannedCell): StoredCells => {
    const places = rows.places[fetch] ?? [];
    return {
      cells: places.map((place) => cells[fetch]?.get(place)?.[cellPlace]),
      confirmedAtMs: places.map((place) => context.state.confirmedAt(rows.partitions[place] ?? 0, view, viewVersion)),
    };
  };
  const detail = request.detail === true;
  const columns = selection.stored.map((column) => buildColumn(column, { nowMs, detail, stored }));
  return {
    featureService: plan.featureService,
    catalogVersion: plan.catalogVersion,
    epoch: context.state.epoch,
    nowMs,
    columns: replyColumns(selection, columns, { rows: given, detail, failed: context.onDemandFailed }),
  };
}

/** The cells of each record that a fetch needs, decoded once. */
function decode(
  records: readonly (Buffer | null)[],
  places: readonly number[],
  reading: RecordReading,
): Map<number, readonly (CurrentCell | undefined)[]> {
  const cells = new Map<number, readonly (CurrentCell | undefined)[]>();
  for (const place of places) {
    const bytes = records[place] ?? null;
    if (bytes !== null && !cells.has(place)) cells.set(place, readRecord(bytes, reading));
  }
  return cells;
}

/** Plans are compiled once per feature service and catalog version. */
export function planCache(catalog: CatalogView): (featureService: string) => ReadPlan {
  let version = 0;
  let plans = new Map<string, ReadPlan>();
  return (featureService) => {
    const { current } = catalog;
    if (current === undefined) throw new TributaryError("UNAVAILABLE", "no catalog has been applied yet");
    if (current.version !== version) [version, plans] = [current.version, new Map()];
    const plan = plans.get(featureService) ?? compileReadPlan(current, featureService);
    plans.set(featureService, plan);
    return plan;
  };
}
