import type { ReadRequest } from "@tributary/shared/contracts/read";
import type { WriteRequest } from "@tributary/shared/contracts/write";
import { toWireRecord, toWireValue } from "./input-value.ts";
import type { ReadOptions, RequestRow, WriteOptions, WriteRow } from "./tributary.ts";

/** The request as it travels: only what was given. @throws TributaryError BAD_VALUE for a value that has no form on the wire */
export function readRequest(featureService: string, keys: readonly RequestRow[], options: ReadOptions): ReadRequest {
  const { detail, features, after, waitMs } = options;
  return {
    featureService,
    keys: keys.map(requestRow),
    ...(detail !== undefined && { detail }),
    ...(features && { features: [...features] }),
    ...(after && { after: [...after] }),
    ...(waitMs !== undefined && { waitMs }),
  };
}

/** Keys are texts and numbers as they are; request fields may be more. */
function requestRow(row: RequestRow): ReadRequest["keys"][number] {
  if (!Object.values(row).every(isOfTheWire)) return toWireRecord(row, "keys") as ReadRequest["keys"][number];
  return row as ReadRequest["keys"][number];
}

function isOfTheWire(value: unknown): boolean {
  return typeof value !== "object" && value !== undefined;
}

/** @throws TributaryError BAD_VALUE for a value that has no form on the wire */
export function writeRequest(view: string, rows: readonly WriteRow[], { idempotencyKey }: WriteOptions): WriteRequest {
  return {
    view,
    rows: rows.map(writeRow),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

function writeRow({ key, features, withdraw, eventTime }: WriteRow): WriteRequest["rows"][number] {
  return {
    key: { ...key },
    ...(features && { features: toWireRecord(features, "features") }),
    ...(withdraw && { withdraw: [...withdraw] }),
    ...(eventTime !== undefined && { eventTime: toWireValue(eventTime, "eventTime") as number | string }),
  };
}
