import { decodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { type ErrorCode, fromWireError, isErrorCode, TributaryError } from "@tributary/shared/contracts/errors";

/** What became of one HTTP request. */
export type Attempt =
  | { readonly kind: "reply"; readonly bytes: Uint8Array }
  | {
      readonly kind: "failed";
      readonly error: TributaryError;
      /** Nothing was done. */
      readonly isUntouched: boolean;
      readonly retryAfterMs?: number | undefined;
    };

interface Asked {
  readonly url: URL;
  readonly service: "store" | "gateway";
  readonly isRepeatable: boolean;
}

/**
 * An answer, by what it carries: a reply, an error of ours, or something else, which comes from a proxy or a server that is not
 * Tributary's and is judged by its status alone.
 */
export function judgeResponse(asked: Asked, response: Response, bytes: Uint8Array): Attempt {
  const value = decoded(bytes);
  if (response.ok || Array.isArray(value.outcomes)) return { kind: "reply", bytes };
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  const error = ownError(value.error);
  // A service that answers with an error of its own has not stored anything, or says that it does not know.
  if (error) return { kind: "failed", error, isUntouched: error.code !== "UNKNOWN_OUTCOME", retryAfterMs };
  const foreign = foreignError(asked, response.status);
  const isUntouched = response.status !== 502 && response.status !== 504;
  return { kind: "failed", error: told(asked, foreign, isUntouched), isUntouched, retryAfterMs };
}

function decoded(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const { value } = decodePayload(bytes);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function ownError(error: unknown): TributaryError | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, message } = error as Readonly<Record<string, unknown>>;
  if (typeof code !== "string" || typeof message !== "string" || !isErrorCode(code)) return undefined;
  return fromWireError({ code, message });
}

function foreignError(asked: Asked, status: number): TributaryError {
  const where = `${asked.url.origin} answers the ${asked.service}'s request with status ${status}`;
  if (status === 401 || status === 403 || status === 407) {
    return new TributaryError("BAD_CONFIG", `${where}: it refuses the credentials, which are given as headers`);
  }
  const code = codeOfStatus[status] ?? (status >= 500 ? "UNAVAILABLE" : "BAD_CONFIG");
  const fix = code === "BAD_CONFIG" ? `; is ${asked.service}Url right?` : "";
  return new TributaryError(code, `${where}${fix}`);
}

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  408: "DEADLINE",
  413: "LIMIT_EXCEEDED",
  429: "OVERLOADED",
  504: "DEADLINE",
};

/** Seconds or a date, as ms from now; undefined: none, or not readable. */
function parseRetryAfter(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** Before a byte of the request was sent. */
const unsentCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** No answer at all: the deadline, a connection that could not be made, or one that broke. */
export function judgeFailure(asked: Asked, thrown: unknown): Attempt {
  if (thrown instanceof TributaryError) return { kind: "failed", error: thrown, isUntouched: false };
  const { origin } = asked.url;
  if (thrown instanceof Error && thrown.name === "TimeoutError") {
    const error = new TributaryError("DEADLINE", `no answer in time from the ${asked.service} at ${origin}`);
    return { kind: "failed", error: told(asked, error, false), isUntouched: false };
  }
  const code = causeCode(thrown);
  const isUntouched = unsentCodes.has(code);
  const why = `the ${asked.service} at ${origin} does not answer (${code})`;
  const error = new TributaryError("UNAVAILABLE", why, { cause: thrown });
  return { kind: "failed", error: told(asked, error, isUntouched), isUntouched };
}

/** `fetch` hides the reason in its cause. */
function causeCode(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (typeof cause === "object" && cause !== null && "code" in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(thrown);
}

/** Where doing it twice is not doing it once, the caller must learn that it may have been done. */
function told({ isRepeatable, service }: Asked, error: TributaryError, isUntouched: boolean): TributaryError {
  if (isRepeatable || isUntouched || !error.retryable) return error;
  const why = `the ${service} did not answer the write: ${error.message}`;
  return new TributaryError("UNKNOWN_OUTCOME", why, { cause: error });
}
