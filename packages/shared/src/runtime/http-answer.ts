import { type Encoding, encodePayload } from "../codec/json-or-msgpack.ts";
import { asTributaryError, TributaryError, toWireError } from "../contracts/errors.ts";

/** What gateway and store answer over HTTP, apart from the framework that sends it: JSON or msgpack, as the request came. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export const contentTypes = { json: "application/json", msgpack: "application/msgpack" } as const;

/** Seconds after which a refused caller may try again. */
const retryAfterS = 1;

export function encodingOf(contentType: string | undefined): Encoding {
  return contentType?.startsWith(contentTypes.msgpack) ? "msgpack" : "json";
}

export function valueAnswer(status: number, { value, encoding }: { value: unknown; encoding: Encoding }): HttpAnswer {
  const retry: Record<string, string> = status === 429 || status === 503 ? { "retry-after": String(retryAfterS) } : {};
  return { status, headers: { ...contentHeaders(encoding), ...retry }, body: encodePayload(value, encoding) };
}

export function contentHeaders(encoding: Encoding): Record<string, string> {
  return { "content-type": contentTypes[encoding] };
}

/** `{ error: { code, message, hint } }`; `bytesMax` is what a request's body may have. */
export function errorAnswer(
  thrown: unknown,
  { encoding, bytesMax }: { encoding: Encoding; bytesMax: number },
): HttpAnswer {
  const status = (thrown as { statusCode?: number } | null)?.statusCode;
  const error = status === undefined || status >= 500 ? asTributaryError(thrown) : refusalOf(status, bytesMax);
  const httpStatus = status === 404 || status === 415 ? status : error.httpStatus;
  return valueAnswer(httpStatus, { value: { error: toWireError(error) }, encoding });
}

/** The framework's own refusals, in our words. */
function refusalOf(status: number, bytesMax: number): TributaryError {
  if (status === 413) return new TributaryError("LIMIT_EXCEEDED", `the request has more than ${bytesMax} bytes`);
  if (status === 415) {
    const known = Object.values(contentTypes).join(" or ");
    return new TributaryError("MALFORMED", `the content type must be ${known}`);
  }
  return new TributaryError("MALFORMED", `the HTTP request cannot be read (status ${status})`);
}
