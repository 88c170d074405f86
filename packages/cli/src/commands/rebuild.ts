import type { Catalog, Lane, View } from "@tributary/shared/contracts/catalog";
import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import { requireCurrentCatalog } from "../catalog/current.ts";
import type { Invocation } from "../command.ts";
import { countOf, laneOf } from "../dlq/letter-choice.ts";
import { exitCodeOf, exitCodes } from "../exit-codes.ts";
import type { CommandResult } from "../output.ts";
import { rebuildBatchView } from "../rebuild/batch-view.ts";
import { chosenViews, namesOf } from "../rebuild/chosen-views.ts";
import { Deadline } from "../rebuild/insist.ts";
import { awaitApplied, awaitReplays, readLacks, type StoreWait } from "../rebuild/lane-state.ts";
import { remarkOf, type Sent, shortfall, type ViewResult, viewResult } from "../rebuild/rebuild-result.ts";
import { rebuildStream, sentOfView } from "../rebuild/stream-partitions.ts";
import { alignColumns } from "../table.ts";
import { withConnection } from "../with-connection.ts";

export interface RebuildFlags {
  readonly view?: string;
  readonly lane?: string;
  readonly timeout?: string;
}

const timeoutSecondsDefault = 600;

export async function run({
  options,
  settings,
  output,
  interruption,
}: Invocation<RebuildFlags>): Promise<CommandResult> {
  const lane = laneOf(options.lane);
  const seconds = options.timeout === undefined ? timeoutSecondsDefault : countOf(options.timeout, "--timeout");
  return withConnection(settings.adminNatsUrl(), async (connection) => {
    const catalog = await requireCurrentCatalog(connection);
    const views = chosenViews(catalog, { view: options.view, lane });
    await requireServices(connection, views);
    const wait: StoreWait = { connection, deadline: new Deadline(seconds), progress: output.progress };
    interruption.underWay(() => "what was asked for is still sent; rebuild again to know that it arrived");
    await awaitReplays(wait);
    const sent = await sendAll(wait, { catalog, views, view: options.view });
    const failure = await arrival(wait, views, sent);
    const { epoch, lacks } = await readLacks(wait, views);
    const results = views.map((view) => {
      const lack = lacks.get(view.name) ?? { missing: [], setAside: [] };
      return viewResult(view, catalog, { sent: sent.get(view.name), lack });
    });
    return resultOf(epoch, results, failure);
  });
}

/** Before anything is begun. @throws TributaryError UNAVAILABLE naming who is not there */
async function requireServices(connection: Connection, views: readonly View[]): Promise<void> {
  const asked = [
    { service: "online-store", subject: subjects.storeStatus, isNeeded: true },
    { service: "batch-runner", subject: subjects.batchStatus, isNeeded: namesOf(views, "batch").length > 0 },
    { service: "stream-processor", subject: subjects.streamStatus, isNeeded: namesOf(views, "stream").length > 0 },
  ];
  for (const { service, subject } of asked.filter(({ isNeeded }) => isNeeded)) {
    await askJson(connection, subject).catch((error: unknown) => {
      const { code, message } = asTributaryError(error);
      throw new TributaryError(code, `${service} does not answer, so nothing is rebuilt: ${message}`);
    });
  }
}

interface Chosen {
  readonly catalog: Catalog;
  readonly views: readonly View[];
  /** The one that was asked for. */
  readonly view: string | undefined;
}

/** What one lane could not send is told with what the others have. */
async function sendAll(wait: StoreWait, { catalog, views, view }: Chosen): Promise<ReadonlyMap<string, Sent>> {
  const sent = new Map<string, Sent>();
  for (const name of namesOf(views, "batch")) sent.set(name, await rebuildBatchView(wait, name, catalog.partitions));
  const streamed = namesOf(views, "stream");
  if (streamed.length === 0) return sent;
  const found = await rebuildStream(wait, { partitions: catalog.partitions, view });
  for (const name of streamed) sent.set(name, sentOfView(found, name));
  return sent;
}

/** Waits until what was sent is applied; why it was not waited for to the end, if so. */
async function arrival(
  wait: StoreWait,
  views: readonly View[],
  sent: ReadonlyMap<string, Sent>,
): Promise<TributaryError | undefined> {
  const lanes = new Set<Lane>(views.filter(({ name }) => sent.has(name)).map(({ lane }) => lane));
  try {
    await awaitApplied(wait, [...lanes]);
    return undefined;
  } catch (error) {
    return asTributaryError(error);
  }
}

function resultOf(epoch: string, results: readonly ViewResult[], failure: TributaryError | undefined): CommandResult {
  const error = failure ?? shortfall(results);
  const result = { data: { epoch, isComplete: error === undefined, views: results }, text: showResults(results) };
  if (error === undefined) return result;
  const isNothingDone = results.every(({ whole, rows }) => whole === 0 && !rows);
  const isLost = error.code === "HISTORY_LOST";
  return { ...result, error, exitCode: isNothingDone && !isLost ? exitCodeOf(error.code) : exitCodes.partial };
}

function showResults(results: readonly ViewResult[]): string {
  const rows = results.map((result) => {
    const { view, lane, rows, whole, partitions } = result;
    return [view, lane, rows?.toLocaleString("en") ?? "-", `${whole} of ${partitions}`, remarkOf(result)];
  });
  return alignColumns([["view", "lane", "rows sent", "partitions whole"], ...rows]);
}
