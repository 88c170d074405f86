/**
 * Every operating error, in one table: what it means, whether the same call may succeed later, its HTTP status, what to do.
 * `docs/reference/errors.md` is checked against this table.
 */
export const errorTable = {
  UNKNOWN_VIEW: {
    http: 404,
    retryable: false,
    means: "no such view in the catalog",
    fix: "check the name, or run `tributary apply`",
  },
  UNKNOWN_FEATURE: {
    http: 404,
    retryable: false,
    means: "the view has no such feature",
    fix: "check the name against the view's definition",
  },
  UNKNOWN_SERVICE: {
    http: 404,
    retryable: false,
    means: "no such feature service in the catalog",
    fix: "check the name, or run `tributary apply`",
  },
  UNKNOWN_SOURCE: {
    http: 404,
    retryable: false,
    means: "no such source in the catalog",
    fix: "check the name, or run `tributary apply`",
  },
  NOT_FOUND: {
    http: 404,
    retryable: false,
    means: "nothing of that name or number is there",
    fix: "list what is there and take a name or number from it",
  },
  UNKNOWN_KEY: {
    http: 400,
    retryable: false,
    means: "a key that the entity or feature service does not have",
    fix: "send exactly the declared join keys",
  },
  MISSING_KEY: { http: 400, retryable: false, means: "a join key is missing", fix: "send every declared join key" },
  BAD_KEY: {
    http: 400,
    retryable: false,
    means: "a join key is empty, too long, of the wrong type or holds control characters",
    fix: "send a value of the declared type",
  },
  MISSING_FIELD: {
    http: 400,
    retryable: false,
    means: "a request field of the feature service is missing",
    fix: "send it beside the keys in each row; only one that may be null may be left out",
  },
  BAD_VALUE: {
    http: 422,
    retryable: false,
    means: "a value does not fit its declared type or checks",
    fix: "send a value of the declared type; NaN and infinities are refused",
  },
  BAD_TIME: {
    http: 422,
    retryable: false,
    means: "an event time is missing or is neither epoch milliseconds nor RFC 3339 with a zone",
    fix: "send epoch milliseconds or for example 2026-01-31T12:00:00Z",
  },
  FUTURE_TIME: {
    http: 422,
    retryable: false,
    means: "an event time lies further ahead than the allowed clock skew",
    fix: "check the producer's clock",
  },
  WRONG_LANE: {
    http: 409,
    retryable: false,
    means: "the view belongs to another lane",
    fix: "write to a view of this lane",
  },
  WRONG_PARTITION: {
    http: 422,
    retryable: false,
    means: "a key does not belong to the chunk's partition",
    fix: "use the partition rule of the contracts",
  },
  MALFORMED: {
    http: 400,
    retryable: false,
    means: "bytes that are not what the subject carries",
    fix: "send JSON or msgpack of the documented shape",
  },
  UNSUPPORTED_FORMAT: {
    http: 400,
    retryable: false,
    means: "a format version or required field this build does not know",
    fix: "upgrade the reader before the writer",
  },
  LIMIT_EXCEEDED: { http: 413, retryable: false, means: "larger than a documented limit", fix: "send smaller pieces" },
  STALE_CATALOG: {
    http: 503,
    retryable: true,
    means: "a catalog version that this process has not seen yet",
    fix: "retry; the process is re-reading the catalog",
  },
  CATALOG_CONFLICT: {
    http: 409,
    retryable: false,
    means: "somebody else applied a catalog in between",
    fix: "run `tributary plan` again, then apply",
  },
  INVALID_DEFINITION: {
    http: 422,
    retryable: false,
    means: "a definition that cannot be compiled, or cannot follow the current catalog",
    fix: "mend what the message names",
  },
  BAD_INTERVAL: {
    http: 422,
    retryable: false,
    means: "an interval that has not ended yet, or is not aligned",
    fix: "run an interval that has ended",
  },
  BAD_SOURCE: {
    http: 422,
    retryable: false,
    means: "a source's file or query is missing, unreadable or lacks a column",
    fix: "check the file, or the query and its column, that the message names",
  },
  DELETE_GUARD: {
    http: 422,
    retryable: false,
    means: "the run would delete more than the allowed share of rows",
    fix: "check the input, or raise the view's limit",
  },
  RUN_CONFLICT: { http: 409, retryable: true, means: "another runner holds this view", fix: "wait for it to finish" },
  TOKEN_TIMEOUT: {
    http: 504,
    retryable: true,
    means: "the write of the token is not readable yet",
    fix: "retry, or allow a longer wait",
  },
  OVERLOADED: {
    http: 429,
    retryable: true,
    means: "a bound on concurrent work is reached",
    fix: "retry after the stated delay",
  },
  STREAM_FULL: {
    http: 429,
    retryable: true,
    means: "the lane's stream is at its size limit: the store is behind",
    fix: "retry; watch the store's lag",
  },
  UNKNOWN_OUTCOME: {
    http: 504,
    retryable: true,
    means: "the broker did not answer in time: the write may or may not have happened",
    fix: "retry with the same idempotency key, or read it back",
  },
  UNAVAILABLE: { http: 503, retryable: true, means: "a server or service does not answer", fix: "check that it runs" },
  MISSING_RESOURCE: {
    http: 503,
    retryable: false,
    means: "a stream, consumer, bucket or table does not exist",
    fix: "run `tributary admin ensure`",
  },
  FENCED: {
    http: 409,
    retryable: false,
    means: "a newer owner has taken over",
    fix: "nothing: the newer owner does the work",
  },
  HISTORY_LOST: {
    http: 500,
    retryable: false,
    means: "the stream no longer holds what the committed position needs",
    fix: "rebuild from the archive; see docs/operating",
  },
  CORRUPT: { http: 500, retryable: false, means: "stored bytes fail their checks", fix: "republish the partition" },
  POISON: {
    http: 500,
    retryable: false,
    means: "a message failed five times",
    fix: "read the cause, mend it, replay the dead letter",
  },
  DEADLINE: {
    http: 504,
    retryable: true,
    means: "the deadline passed before the work began",
    fix: "allow more time, or send less",
  },
  USAGE: {
    http: 400,
    retryable: false,
    means: "a call of the command line that it does not understand",
    fix: "see the command's --help",
  },
  BAD_CONFIG: {
    http: 500,
    retryable: false,
    means: "a setting is missing or malformed",
    fix: "see the process's --help",
  },
  INTERNAL: { http: 500, retryable: false, means: "a defect", fix: "report it with the log line" },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  readonly http: number;
  readonly retryable: boolean;
  readonly means: string;
  readonly fix: string;
}

export type ErrorCode = keyof typeof errorTable;

/** An operating error with a code of the table. The message names what and which; it never holds a payload. */
export class TributaryError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TributaryError";
    this.code = code;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  get httpStatus(): number {
    return errorTable[this.code].http;
  }
}

/** The error as it travels: `hint` says what to do next. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}

/** Anything thrown, as a TributaryError: a defect becomes INTERNAL with its message kept as the cause. */
export function asTributaryError(error: unknown): TributaryError {
  if (error instanceof TributaryError) return error;
  return new TributaryError("INTERNAL", error instanceof Error ? error.message : String(error), { cause: error });
}

export function toWireError(error: unknown): WireError {
  const { code, message } = asTributaryError(error);
  return { code, message, hint: errorTable[code].fix };
}

export function fromWireError(error: { code: string; message: string }): TributaryError {
  return new TributaryError(isErrorCode(error.code) ? error.code : "INTERNAL", error.message);
}
