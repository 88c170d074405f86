import { TributaryError } from "../contracts/errors.ts";
import { type ReadRequest, readRequestSchema } from "../contracts/read.ts";

/** @throws TributaryError MALFORMED, LIMIT_EXCEEDED */
export function parseReadRequest(value: unknown): ReadRequest {
  const parsed = readRequestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") || "the request";
  const code = issue?.code === "too_big" && issue.path.length === 1 ? "LIMIT_EXCEEDED" : "MALFORMED";
  throw new TributaryError(code, `${where}: ${issue?.message ?? "malformed"}`);
}

/** What a feature service is asked with. */
export interface RequestShape {
  readonly featureService: string;
  readonly requestKeys: readonly string[];
}

/**
 * Refuses a row that lacks a request key or brings one the feature service does not have.
 * @throws TributaryError MISSING_KEY, UNKNOWN_KEY
 */
export function checkRequestKeys(plan: RequestShape, row: Readonly<Record<string, unknown>>): void {
  const expected = `feature service "${plan.featureService}" (${plan.requestKeys.join(", ")})`;
  for (const name of plan.requestKeys) {
    if (row[name] === undefined) throw new TributaryError("MISSING_KEY", `key "${name}" of ${expected} is missing`);
  }
  for (const name of Object.keys(row)) {
    if (!plan.requestKeys.includes(name))
      throw new TributaryError("UNKNOWN_KEY", `"${name}" is not a key of ${expected}`);
  }
}
