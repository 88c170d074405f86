import { type RecordWrite, rowsOf } from "@tributary/online-store/core/chunk-rows";
import { decodeChunk, encodeChunk } from "@tributary/shared/codec/chunk-codec";
import type { Catalog, View } from "@tributary/shared/contracts/catalog";
import type { RowSchedule, RowsChunk } from "@tributary/shared/contracts/chunk";
import { count } from "@tributary/shared/definitions/aggregation";
import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { float64, json, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";
import { type FeatureName, type ModelSchedule, type ModelView, modelViews, type RowsMessage } from "./model.ts";

const airport = entity("airport", { key: { code: string() } });
const departures = eventSource("departures", {
  fields: { origin: string(), at: timestamp() },
  eventTime: "at",
  disorder: "0s",
});
const flights = tableSource("flights", { format: "parquet", files: ["raw/*.parquet"], fields: { origin: string() } });
const types = { any: json(), number: float64(), text: string() };
const freshness = "1m";

const compiled = compileDefinitions([
  directView("congestion", { entity: airport, producers: ["tower"], freshness, features: types }),
  batchView("airport_profile", {
    entity: airport,
    from: [flights],
    sql: "select 1",
    every: "15m",
    freshness,
    features: types,
  }),
  streamView("airport_now", {
    entity: airport,
    from: departures,
    keys: { code: "origin" },
    windows: ["15m"],
    hop: "1m",
    freshness,
    features: { departures: count() },
  }),
]);
/** One partition, so that writes of several keys share a compare-and-set. */
export const catalog: Catalog = { ...compiled, partitions: 1, version: 1, fingerprint: "model" };
const featuresOfTypes = compiled.views.congestion?.features ?? [];

/** A view as its catalog version had it. */
const views: readonly View[] = modelViews.map(({ name, version, features }) => ({
  ...(compiled.views[name] as View),
  version,
  features: featuresOfTypes.filter((feature) => features.some((one) => one === feature.name)),
}));

/** What the store makes of a message: through the chunk's bytes and the store's own reading of them. */
export function writesOf(message: RowsMessage): RecordWrite[] {
  const chunk = decodeChunk(encodeChunk(chunkOf(message))) as RowsChunk;
  const position = { subject: "", ...message.position };
  return rowsOf(chunk, views[message.view] as View, { catalog, position });
}

function chunkOf({ view, stamped, position, rows }: RowsMessage): RowsChunk {
  const { name, version, lane, features } = modelViews[view] as ModelView;
  const part = (name: "incarnation" | "sequence" | "minor") => rows.map((row) => row.version[name]);
  const stamps = { incarnations: part("incarnation"), sequences: part("sequence"), minors: part("minor") };
  // A direct row without a time of its own has the broker's (V4).
  const timeOf = (eventTime: number) => (!stamped && eventTime === position.timestampMs ? null : eventTime);
  return {
    kind: "rows",
    lane,
    view: name,
    viewVersion: version,
    catalogVersion: 1,
    partition: 0,
    producer: "campaign",
    keys: rows.map((row) => row.key),
    eventTimes: rows.map((row) => timeOf(row.version.eventTime)),
    ...(stamped && { stamps }),
    columns: features.map((feature) => ({ feature, cells: rows.map((row) => row.cells[feature]) })),
    schedules: rows.map((row) => scheduleOf(row.schedule, features)),
  };
}

function scheduleOf(schedule: ModelSchedule | null, features: readonly FeatureName[]): RowSchedule | null {
  if (schedule === null) return null;
  const steps = schedule.steps.map(({ atMs, values }) => ({
    atMs,
    changes: features.flatMap((feature, column) => {
      const value = values[feature];
      return value === undefined ? [] : [[column, value] as const];
    }),
  }));
  return { untilMs: schedule.untilMs, steps };
}
