import type { RequestRow } from "@tributary/client/tributary";
import type { RequestField } from "@tributary/shared/contracts/catalog";
import type { FeatureType } from "@tributary/shared/contracts/feature";
import { openBucket } from "@tributary/shared/messaging/bucket";
import { jsonOrText } from "./arguments.ts";
import { readLiveCatalog } from "./catalog/live-catalog.ts";
import { withConnection } from "./with-connection.ts";

/**
 * Rows of NAME=VALUE as the feature service's request fields want them: `partySize=2` is a number, `note=2` a text where the field
 * is one. What is not a request field stays text, as keys may.
 * @throws TributaryError UNAVAILABLE
 */
export async function typedRows(
  natsUrl: string,
  featureService: string,
  rows: readonly RequestRow[],
): Promise<readonly RequestRow[]> {
  const fields = await requestFields(natsUrl, featureService);
  if (fields.length === 0) return rows;
  return rows.map((row) => ({ ...row, ...Object.fromEntries(fields.flatMap((field) => typedField(field, row))) }));
}

async function requestFields(natsUrl: string, featureService: string): Promise<readonly RequestField[]> {
  const { body } = await withConnection(natsUrl, async (connection) =>
    readLiveCatalog(await openBucket(connection, "TRIB_CATALOG")),
  );
  return body?.featureServices[featureService]?.requestFields ?? [];
}

/** Their text is what travels; that of an int64 is exact. */
const textTypes: readonly FeatureType[] = ["string", "date", "int64"];

function typedField(
  { name, type, nullable }: RequestField,
  row: RequestRow,
): (readonly [string, RequestRow[string]])[] {
  const text = row[name];
  if (typeof text !== "string") return [];
  if (text === "null" && nullable) return [[name, null]];
  if (textTypes.includes(type)) return [];
  const value = jsonOrText(text);
  return [[name, typeof value === "number" || typeof value === "boolean" ? value : text]];
}
