import type { z } from "zod";
import { decodePayload, type Encoding } from "../codec/json-or-msgpack.ts";
import { TributaryError } from "../contracts/errors.ts";
import { limits } from "../contracts/limits.ts";
import { type WriteRequest, writeRequestSchema } from "../contracts/write.ts";

export interface DecodedWrite {
  readonly request: WriteRequest;
  readonly encoding: Encoding;
}

/**
 * A write request from bytes of anybody. `view` is the one that the URL names.
 * @throws TributaryError MALFORMED, LIMIT_EXCEEDED
 */
export function decodeWrite(body: Uint8Array, view?: string): DecodedWrite {
  if (body.length > limits.writeBytesMax) {
    throw new TributaryError(
      "LIMIT_EXCEEDED",
      `a write has ${body.length} bytes, allowed are ${limits.writeBytesMax} (writeBytesMax)`,
    );
  }
  const { value, encoding } = decodePayload(body);
  const parsed = writeRequestSchema.safeParse(view === undefined ? value : withView(value, view));
  if (!parsed.success) throw refusalOf(parsed.error);
  return { request: parsed.data, encoding };
}

function withView(value: unknown, view: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if ("view" in value && value.view !== view) {
    throw new TributaryError("MALFORMED", `the URL names view "${view}" and the body another one`);
  }
  return { ...value, view };
}

function refusalOf(error: z.ZodError): TributaryError {
  const issue = error.issues[0];
  const where = issue?.path.join(".") || "the request";
  if (issue?.code === "too_big" && where === "rows") {
    return new TributaryError("LIMIT_EXCEEDED", `a write has at most ${limits.writeRowsMax} rows (writeRowsMax)`);
  }
  const keys = issue?.code === "unrecognized_keys" ? `: unknown ${issue.keys.slice(0, 5).join(", ")}` : "";
  return new TributaryError("MALFORMED", `${where} is missing or not what a write carries${keys}`);
}
