import { batchElementTypes, type FeatureType } from "../contracts/feature.ts";

/** Why a column of batch SQL cannot be of a type; undefined when it can. */
export function notInSql(type: FeatureType, of: FeatureType | undefined): string | undefined {
  if (type === "map") return "is a map, which batch SQL does not take; use json()";
  if (type !== "list" || of === undefined || batchElementTypes.includes(of)) return undefined;
  return `is a list of ${of}, which batch SQL does not take; use a list of ${batchElementTypes.join(", ")}, or json()`;
}
