import type { ViewFreshness } from "@tributary/shared/contracts/freshness";
import type { BatchStatus, LaneFloor, StoreStatus, StreamStatus } from "@tributary/shared/contracts/status";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Connection } from "@tributary/shared/messaging/contract";
import { askJson } from "../ask-json.ts";
import type { Invocation } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import type { CommandResult, Output } from "../output.ts";
import { readFreshness } from "../read-freshness.ts";
import { type Process, type Roster, readRoster, serviceNames } from "../roster.ts";
import { freshnessRows } from "../show-freshness.ts";
import { alignColumns, formatMs } from "../table.ts";
import { withConnection } from "../with-connection.ts";

interface ServiceState {
  readonly service: string;
  readonly up: boolean;
  /** Of the build. */
  readonly version?: string;
  /** The address of its HTTP endpoint. */
  readonly http?: string;
  readonly error?: "UNAVAILABLE" | "DEADLINE";
  readonly instances: readonly Process[];
}

interface Status {
  readonly services: readonly ServiceState[];
  readonly store: StoreStatus | null;
  readonly stream: StreamStatus | null;
  readonly batch: BatchStatus | null;
  /** Of all stores together. */
  readonly freshness: readonly ViewFreshness[];
}

export async function run({ settings, output }: Invocation): Promise<CommandResult> {
  const status = await withConnection(settings.natsUrl(), readStatus);
  const exitCode = status.services.every((one) => one.up) ? exitCodes.ok : exitCodes.partial;
  return { data: status, text: showStatus(status, output), exitCode };
}

async function readStatus(connection: Connection): Promise<Status> {
  const [roster, freshness, store, stream, batch] = await Promise.all([
    readRoster(connection),
    readFreshness(connection),
    orNull(askJson<StoreStatus>(connection, subjects.storeStatus)),
    orNull(askJson<StreamStatus>(connection, subjects.streamStatus)),
    orNull(askJson<BatchStatus>(connection, subjects.batchStatus)),
  ]);
  return { services: serviceNames.map((service) => stateOf(service, roster)), store, stream, batch, freshness };
}

function stateOf(service: string, { processes, silent }: Roster): ServiceState {
  const instances = processes.filter((process) => process.service === service);
  const [first] = instances;
  if (first === undefined) {
    return { service, up: false, error: silent.includes(service) ? "DEADLINE" : "UNAVAILABLE", instances };
  }
  const { version, http } = first;
  return { service, up: true, version, ...(http !== null && { http }), instances };
}

/** A part that does not answer is told as absent; the list of services says why. */
function orNull<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch(() => null);
}

function showStatus({ services: states, store, stream, batch, freshness }: Status, { colors }: Output): string {
  const up = (state: ServiceState) => (state.up ? colors.green("up") : colors.red(`down (${state.error})`));
  const lines = states.flatMap((state) => [
    [state.service, up(state)],
    ...state.instances.map(({ instance, id, catalogVersion, http, role }) => [
      `  ${instance ?? id}`,
      catalogVersion === null ? "catalog unknown" : `catalog ${catalogVersion}`,
      `${http ?? ""}${role === "reads" || role === "writes" ? ` (${role} only)` : ""}`,
    ]),
  ]);
  const lanes = (store?.lanes ?? []).map((lane) => [
    `${lane.lane} lane`,
    `${lane.lastSequence - lane.floor} behind`,
    `${lane.counters.rows} rows, ${formatMs(lane.counters.lagMs)} publish to applied`,
  ]);
  const repairs = (store?.lanes ?? []).flatMap(repairLines);
  const windows = stream ? [["stream input", `${stream.counters.eventsApplied} applied`, lateness(stream)]] : [];
  const runs = (batch?.runs ?? []).map((one) => [
    one.kind === "republish" ? `${one.view} sent again` : `${one.view} run ${one.run}`,
    one.phase,
    `${one.counts.published} published`,
  ]);
  const parts = [[...lines, ...lanes, ...repairs, ...windows, ...runs], freshnessRows(freshness, colors)];
  return parts
    .filter((part) => part.length > 0)
    .map(alignColumns)
    .join("\n\n");
}

/** Why writes wait, and what Redis has lost: coming back, or gone from the stream. */
function repairLines({ lane, replay, gaps, gapViews, heldViews, waiting }: LaneFloor): string[][] {
  const held = waiting && [`${lane} writes`, "wait", waiting.why];
  const running = replay && [
    `${lane} replay`,
    `${replay.until - replay.position} to go`,
    `${replay.messages} messages read again, ${replay.messagesPerSecond}/s`,
  ];
  const missing = gaps && [
    `${lane} gap`,
    `${gaps.length} partitions`,
    `lost by Redis, and the stream holds it no longer${gapViews ? `: ${Object.keys(gapViews).join(", ")}` : ""}`,
  ];
  const aside = Object.entries(heldViews ?? {}).map(([view, partitions]) => [
    `${view} held`,
    `${partitions.length} partitions`,
    "a message was set aside; confirmations behind it do not count",
  ]);
  return [held, running, missing, ...aside].filter((line) => line !== undefined);
}

function lateness({ counters }: StreamStatus): string {
  return `${counters.eventsLate} late, ${counters.eventsRejected} rejected, ${counters.rowsPublished} rows published`;
}
