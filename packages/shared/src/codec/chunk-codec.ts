import { z } from "zod";
import type {
  Chunk,
  ChunkCell,
  ChunkColumn,
  ConfirmationChunk,
  FeatureValue,
  RowSchedule,
  RowsChunk,
} from "../contracts/chunk.ts";
import { chunkFormat, tombstone } from "../contracts/chunk.ts";
import { clockRecordSchema } from "../contracts/clock.ts";
import { TributaryError } from "../contracts/errors.ts";
import { limits } from "../contracts/limits.ts";
import { bitAt, bitmapOf } from "./bitmap.ts";
import { pack, unpack } from "./msgpack.ts";

/**
 * Chunk bytes, format 1: one msgpack map with short names.
 *
 *   f format · k kind · must (names of extensions a reader has to know) · l lane · v view · vv view version ·
 *   cv catalog version · p partition · by producer · tr traceparent · run [number, ordinal] · fence · clock
 *   rows:    n rows · keys · et event times · st [incarnations, sequences, minors] (a list, or one value for all rows) ·
 *            cols [[feature, presence bitmap | nil = every row, tombstone bitmap | nil = none, values of the other present rows]] ·
 *            sched [[until, [[at, [column, value, …]], …]] | nil]
 *   confirm: at (confirmed up to, epoch ms) · whole (true behind a republish) · since (sequence of its first rows)
 *
 * Unknown names are ignored; an unknown entry of `must` is refused.
 */
const perRow = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema)]);
const integer = z.number().int();

const headerShape = {
  f: z.literal(chunkFormat),
  must: z.array(z.string()).optional(),
  l: z.enum(["batch", "stream", "direct"]),
  v: z.string(),
  vv: integer,
  cv: integer,
  p: integer.min(0),
  by: z.string(),
  tr: z.string().optional(),
  run: z.tuple([integer, integer]).optional(),
  fence: integer.optional(),
};

const rowsSchema = z.object({
  ...headerShape,
  k: z.literal("rows"),
  n: integer.min(1).max(limits.chunkRowsMax),
  clock: clockRecordSchema.optional(),
  keys: z.array(z.string()),
  et: perRow(integer.nullable()),
  st: z.tuple([perRow(integer), perRow(integer), perRow(integer)]).optional(),
  cols: z.array(
    z.tuple([
      z.string(),
      z.instanceof(Uint8Array).nullable(),
      z.instanceof(Uint8Array).nullable(),
      z.array(z.unknown()),
    ]),
  ),
  sched: z.array(z.tuple([integer, z.array(z.tuple([integer, z.array(z.unknown())]))]).nullable()).optional(),
});

const confirmSchema = z.object({
  ...headerShape,
  k: z.literal("confirm"),
  at: integer,
  whole: z.literal(true).optional(),
  since: integer.min(0).optional(),
});
const wireSchema = z.discriminatedUnion("k", [rowsSchema, confirmSchema]);
type WireRows = z.infer<typeof rowsSchema>;

/**
 * Bytes of a chunk.
 * @throws TributaryError LIMIT_EXCEEDED above `chunkBytesMax`
 */
export function encodeChunk(chunk: Chunk): Uint8Array {
  const bytes = pack(withoutUndefined(chunk.kind === "rows" ? rowsToWire(chunk) : confirmationToWire(chunk)));
  if (bytes.length > limits.chunkBytesMax) {
    throw new TributaryError(
      "LIMIT_EXCEEDED",
      `a chunk of view "${chunk.view}" has ${bytes.length} bytes, allowed are ${limits.chunkBytesMax}`,
    );
  }
  return bytes;
}

/**
 * A chunk from bytes of anybody.
 * @throws TributaryError MALFORMED, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  const value = unpack(bytes);
  const parsed = wireSchema.safeParse(value);
  if (!parsed.success) throw refusalOf(value, parsed.error);
  const wire = parsed.data;
  if (wire.must !== undefined && wire.must.length > 0) {
    throw new TributaryError(
      "UNSUPPORTED_FORMAT",
      `the chunk needs extensions this build does not know: ${wire.must.join(", ")}`,
    );
  }
  if (wire.k === "confirm") {
    return confirmationFromWire(wire);
  }
  return rowsFromWire(wire);
}

function rowsToWire(chunk: RowsChunk): Record<string, unknown> {
  return {
    ...headerToWire(chunk),
    k: "rows",
    n: chunk.keys.length,
    clock: chunk.clock,
    keys: chunk.keys,
    et: collapse(chunk.eventTimes),
    st: chunk.stamps && [
      collapse(chunk.stamps.incarnations),
      collapse(chunk.stamps.sequences),
      collapse(chunk.stamps.minors),
    ],
    cols: chunk.columns.map(columnToWire),
    sched: chunk.schedules?.map(scheduleToWire),
  };
}

function confirmationToWire(chunk: ConfirmationChunk): Record<string, unknown> {
  return { ...headerToWire(chunk), k: "confirm", at: chunk.confirmedAtMs, whole: chunk.whole, since: chunk.since };
}

function confirmationFromWire(wire: z.infer<typeof confirmSchema>): ConfirmationChunk {
  const { whole, since } = wire;
  const republish = whole && { whole, ...(since !== undefined && { since }) };
  return { kind: "confirm", ...headerOf(wire), confirmedAtMs: wire.at, ...republish };
}

function headerToWire(chunk: Chunk): Record<string, unknown> {
  return {
    f: chunkFormat,
    l: chunk.lane,
    v: chunk.view,
    vv: chunk.viewVersion,
    cv: chunk.catalogVersion,
    p: chunk.partition,
    by: chunk.producer,
    tr: chunk.trace,
    run: chunk.run && [chunk.run.number, chunk.run.ordinal],
    fence: chunk.fence,
  };
}

function columnToWire({ feature, cells }: ChunkColumn): unknown[] {
  const values = cells.filter((cell) => cell !== undefined && cell !== tombstone);
  const absent = cells.includes(undefined);
  const withdrawn = cells.includes(tombstone);
  return [
    feature,
    absent ? bitmapOf(cells.length, (row) => cells[row] !== undefined) : null,
    withdrawn ? bitmapOf(cells.length, (row) => cells[row] === tombstone) : null,
    values,
  ];
}

function scheduleToWire(schedule: RowSchedule | null): unknown {
  return schedule && [schedule.untilMs, schedule.steps.map((step) => [step.atMs, step.changes.flat(1)])];
}

function rowsFromWire(wire: WireRows): RowsChunk {
  const rows = wire.n;
  if (wire.keys.length !== rows) throw malformed(`it names ${rows} rows and holds ${wire.keys.length} keys`);
  return {
    kind: "rows",
    ...headerOf(wire),
    ...(wire.clock && { clock: wire.clock }),
    keys: wire.keys,
    eventTimes: expand(wire.et, rows),
    ...(wire.st && {
      stamps: {
        incarnations: expand(wire.st[0], rows),
        sequences: expand(wire.st[1], rows),
        minors: expand(wire.st[2], rows),
      },
    }),
    columns: wire.cols.map((column) => columnFromWire(column, rows)),
    ...(wire.sched && { schedules: schedulesFromWire(wire.sched, rows, wire.cols.length) }),
  };
}

function headerOf(wire: z.infer<typeof wireSchema>) {
  return {
    lane: wire.l,
    view: wire.v,
    viewVersion: wire.vv,
    catalogVersion: wire.cv,
    partition: wire.p,
    producer: wire.by,
    ...(wire.tr !== undefined && { trace: wire.tr }),
    ...(wire.run && { run: { number: wire.run[0], ordinal: wire.run[1] } }),
    ...(wire.fence !== undefined && { fence: wire.fence }),
  };
}

function columnFromWire([feature, presence, withdrawn, values]: WireRows["cols"][number], rows: number): ChunkColumn {
  let next = 0;
  const cells: ChunkCell[] = new Array(rows);
  for (let row = 0; row < rows; row++) {
    if (presence !== null && !bitAt(presence, row)) cells[row] = undefined;
    else if (withdrawn !== null && bitAt(withdrawn, row)) cells[row] = tombstone;
    else cells[row] = values[next++] as FeatureValue;
  }
  if (next !== values.length || cells.length !== rows)
    throw malformed(`column "${feature}" has ${values.length} values for ${next} cells`);
  return { feature, cells };
}

function schedulesFromWire(
  wire: NonNullable<WireRows["sched"]>,
  rows: number,
  columns: number,
): (RowSchedule | null)[] {
  if (wire.length !== rows) throw malformed(`it has ${wire.length} schedules for ${rows} rows`);
  return wire.map(
    (entry) =>
      entry && {
        untilMs: entry[0],
        steps: entry[1].map(([atMs, changes]) => ({ atMs, changes: pairs(changes, columns) })),
      },
  );
}

function pairs(flat: readonly unknown[], columns: number): [number, FeatureValue][] {
  const out: [number, FeatureValue][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const column = flat[i];
    const isColumn = typeof column === "number" && Number.isInteger(column) && column >= 0 && column < columns;
    if (!isColumn || i + 1 >= flat.length) throw malformed("a schedule step names no column");
    out.push([column, flat[i + 1] as FeatureValue]);
  }
  return out;
}

/** One value when all rows agree, else the list. */
function collapse<T>(values: readonly T[]): T | readonly T[] {
  const first = values[0] as T;
  return values.every((value) => value === first) ? first : values;
}

function expand<T>(values: T | T[], rows: number): T[] {
  if (!Array.isArray(values)) return new Array<T>(rows).fill(values);
  if (values.length !== rows) throw malformed(`a list of ${values.length} stands for ${rows} rows`);
  return values;
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function refusalOf(value: unknown, error: z.ZodError): TributaryError {
  const format = typeof value === "object" && value !== null && "f" in value ? value.f : undefined;
  if (typeof format === "number" && format !== chunkFormat) {
    return new TributaryError(
      "UNSUPPORTED_FORMAT",
      `chunk format ${format} is not known, this build reads ${chunkFormat}`,
    );
  }
  return malformed(`field ${error.issues[0]?.path.join(".") || "(top)"} is missing or of the wrong type`);
}

function malformed(why: string): TributaryError {
  return new TributaryError("MALFORMED", `not a chunk: ${why}`);
}
