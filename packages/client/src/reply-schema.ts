import { unpackOwn } from "@tributary/shared/codec/msgpack";
import { type PackedNumbers, unpackNumbers } from "@tributary/shared/codec/packed-numbers";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import type { PackedColumn, ReadColumn, ReadReply } from "@tributary/shared/contracts/read";
import type { WriteReply } from "@tributary/shared/contracts/write";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { z } from "zod";

/** By hand: there are many columns, and a union of schemas tries one after the other. */
const column = z.custom<ReadColumn | PackedColumn>(isColumn);

/** The outer shape only: the services are ours. */
const readReplySchema = z.looseObject({
  featureService: z.string(),
  catalogVersion: z.number(),
  epoch: z.string(),
  nowMs: z.number(),
  columns: z.array(column),
});
const writeReplySchema = z.looseObject({
  outcomes: z.array(z.looseObject({ kind: z.enum(["accepted", "refused", "unknown"]) })),
  accepted: z.number(),
  refused: z.number(),
  unknown: z.number(),
});

const publishAckSchema = z.looseObject({ stream: z.string(), sequence: z.number(), duplicate: z.boolean() });

/** A reply with all columns as lists of values, however they came. @throws TributaryError MALFORMED */
export function decodeReadReply(bytes: Uint8Array): ReadReply {
  const reply = checked(readReplySchema, bytes, "a read");
  return { ...reply, columns: reply.columns.map(unpackColumn) };
}

/** Of a plain column only that its values are a list: they are checked where they enter, and looking at each again costs much. */
function isColumn(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, values, int32, float64, rows } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== "string") return false;
  if (Array.isArray(values)) return true;
  return (int32 ?? float64) instanceof Uint8Array && (rows === undefined || isRowCount(rows));
}

function isRowCount(rows: unknown): boolean {
  return Number.isInteger(rows) && Number(rows) >= 0 && Number(rows) <= limits.readEntitiesMax;
}

function unpackColumn(column: ReadColumn | PackedColumn): ReadColumn {
  if ("values" in column) return column;
  const { name, rows } = column;
  const values = unpackNumbers(packedIn(column));
  return { name, values: rows === undefined ? values : new Array(rows).fill(values[0] ?? null) };
}

function packedIn({ int32, float64 = nothing }: PackedColumn): PackedNumbers {
  return int32 === undefined ? { type: "float64", bytes: float64 } : { type: "int32", bytes: int32 };
}

const nothing = new Uint8Array();

export function decodeWriteReply(bytes: Uint8Array): WriteReply {
  return checked(writeReplySchema, bytes, "a write") as unknown as WriteReply;
}

export function decodePublishAck(bytes: Uint8Array): PublishAck {
  return checked(publishAckSchema, bytes, "a publish");
}

function checked<T extends z.ZodType>(schema: T, bytes: Uint8Array, what: string): z.infer<T> {
  const parsed = schema.safeParse(unpackOwn(bytes));
  if (!parsed.success) throw new TributaryError("MALFORMED", `the answer to ${what} is not of the expected form`);
  return parsed.data;
}
