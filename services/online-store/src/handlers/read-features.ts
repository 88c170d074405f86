import { parseReadRequest, requestValues } from "@tributary/shared/admission/read-request";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { inOrder, replyColumns, selectColumns } from "@tributary/shared/merge/column-selection";
import { buildColumn } from "@tributary/shared/merge/read-column";
import type { StoredColumn } from "@tributary/shared/merge/stored-column";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Clock } from "@tributary/shared/runtime/clock-client";
import type { Records } from "../adapters/redis-records.ts";
import { knowingShapes } from "../adapters/redis-shapes.ts";
import { CellColumns } from "../core/cell-columns.ts";
import { type AnsweredReply, NumberColumns } from "../core/number-columns.ts";
import { compileReadPlan, type PlannedCell, type PlannedColumn, type ReadPlan } from "../core/read-plan.ts";
import { type LocatedFetch, type LocatedRows, locateRows } from "../core/read-rows.ts";
import { readRecords } from "../core/record-read.ts";
import { awaitTokens } from "./await-tokens.ts";
import type { SampleRead } from "./sample-freshness.ts";
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
  /** Sees every read before it is answered. */
  readonly sampleRead?: SampleRead;
}

export interface ReadTerms {
  /** Real epoch ms after which nobody waits. */
  readonly deadlineMs: number;
  /** Whether columns may come as numbers: whoever writes msgpack can do with them, JSON cannot. */
  readonly asNumbers: boolean;
}

/**
 * Feature values for request keys, by one catalog version throughout (L4) and one look at the records.
 * @param value the decoded request
 * @throws TributaryError MALFORMED, UNKNOWN_SERVICE, UNKNOWN_FEATURE, MISSING_KEY, MISSING_FIELD, UNKNOWN_KEY, BAD_KEY,
 *   BAD_VALUE, TOKEN_TIMEOUT, UNAVAILABLE, CORRUPT
 */
export async function readFeatures(
  context: ReadContext,
  value: unknown,
  { deadlineMs, asNumbers }: ReadTerms,
): Promise<AnsweredReply> {
  const request = parseReadRequest(value);
  const plan = context.plan(request.featureService);
  const selection = selectColumns(plan, request.features);
  const rows = locateRows(plan, selection.stored, request.keys);
  const given = requestValues(plan, request.keys);
  const { epoch } = context.state;
  if (request.after !== undefined) await awaitTokens(context, request, deadlineMs);
  const records = await context.records.read(rows.keys, request.after && "latest");
  // After the fetch, so that no value is from ahead of the instant its age is measured at.
  const nowMs = context.clock.now();
  const { shapes } = context.records;
  const cells = await knowingShapes(shapes, rows.keys, () =>
    plan.fetches.map((fetch, index) => {
      const wanted = rows.fetches[index]?.records ?? [];
      const into = new CellColumns(fetch.record.size, wanted.length);
      return readRecords(records, wanted, { plan: fetch.record, shapes, nowMs, into });
    }),
  );
  // What was read before Redis lost data must not be told as what it holds since.
  if (context.state.epoch !== epoch) throw new TributaryError("UNAVAILABLE", "redis changed under the read");
  const confirmations = confirmationsOf(context.state, rows);
  const stored = ({ fetch, place, view, viewVersion }: PlannedCell): StoredColumn => {
    const { numbers, others, eventTimes, untilMs, records: count } = cells[fetch] as CellColumns;
    const confirmedAtMs = confirmations(fetch, view, viewVersion);
    return {
      numbers,
      others,
      eventTimes,
      untilMs,
      offset: place * count,
      confirmedAtMs,
      records: rows.fetches[fetch]?.rows ?? [],
    };
  };
  context.sampleRead?.({ columns: selection.stored, stored, nowMs });
  const detail = request.detail === true;
  const head = { featureService: plan.featureService, catalogVersion: plan.catalogVersion, epoch, nowMs };
  const build = (column: PlannedColumn) => buildColumn(column, { nowMs, detail, stored });
  if (asNumbers && !detail && selection.onDemand.length === 0) {
    const numbers = new NumberColumns(selection.stored.length * request.keys.length);
    const columns = selection.stored.map((column) => numbers.build(column, stored, nowMs) ?? build(column));
    return { ...head, columns: inOrder(selection.names, columns) };
  }
  const columns = selection.stored.map(build);
  const input = { rows: given, detail, failed: context.onDemandFailed };
  return { ...head, columns: replyColumns(selection, columns, input) };
}

/** Confirmations of a view by record of a fetch, looked up once for all features. */
function confirmationsOf(state: StoreState, { partitions, fetches }: LocatedRows) {
  const known = fetches.map(() => new Map<string, Float64Array>());
  return (fetch: number, view: string, viewVersion: number): Float64Array => {
    const ofFetch = known[fetch];
    const found = ofFetch?.get(view) ?? pick(state.confirmedAt(view, viewVersion), partitions, fetches[fetch]);
    ofFetch?.set(view, found);
    return found;
  };
}

function pick(confirmed: Float64Array, partitions: readonly number[], fetch: LocatedFetch | undefined): Float64Array {
  const records = fetch?.records ?? [];
  const picked = new Float64Array(records.length);
  for (let i = 0; i < picked.length; i++)
    picked[i] = confirmed[partitions[records[i] as number] as number] ?? Number.NEGATIVE_INFINITY;
  return picked;
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
