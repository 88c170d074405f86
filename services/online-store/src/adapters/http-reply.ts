import { type Encoding, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { asTributaryError, TributaryError, toWireError } from "@tributary/shared/contracts/errors";

import type { FastifyReply } from "fastify";

export const contentTypes = { json: "application/json", msgpack: "application/msgpack" } as const;

/** A read request's size: 2,000 rows of keys and 100 tokens with room to spare. */
export const readBytesMax = 4 * 1024 * 1024;

/** Seconds after which a refused caller may try again. */
const retryAfterS = 1;

export function sendValue(reply: FastifyReply, status: number, { value, encoding }: Payload): FastifyReply {
  if (status === 429 || status === 503) reply.header("retry-after", retryAfterS);
  return reply
    .status(status)
    .type(contentTypes[encoding])
    .send(Buffer.from(encodePayload(value, encoding)));
}

interface Payload {
  readonly value: unknown;
  readonly encoding: Encoding;
}

/** `{ error: { code, message, hint } }` in the request's encoding. */
export function sendError(reply: FastifyReply, thrown: unknown, encoding: Encoding): FastifyReply {
  const { status, error } = httpError(thrown);
  return sendValue(reply, status, { value: { error: toWireError(error) }, encoding });
}

/** The framework's own refusals, in our words. */
function httpError(thrown: unknown): { status: number; error: TributaryError } {
  const status = (thrown as { statusCode?: number } | null)?.statusCode;
  const refusal = status === undefined || status >= 500 ? asTributaryError(thrown) : refusalOf(status);
  return { status: status === 415 ? 415 : refusal.httpStatus, error: refusal };
}

function refusalOf(status: number): TributaryError {
  if (status === 413) {
    return new TributaryError("LIMIT_EXCEEDED", `a read request has at most ${readBytesMax} bytes`);
  }
  if (status === 415) {
    const known = Object.values(contentTypes).join(" or ");
    return new TributaryError("MALFORMED", `the content type must be ${known}`);
  }
  return new TributaryError("MALFORMED", `the HTTP request cannot be read (status ${status})`);
}
