import { type ErrorCode, errorTable, TributaryError } from "../contracts/errors.ts";
import type { RowOutcome, WriteReply, WriteToken } from "../contracts/write.ts";
import type { AdmittedRow, RefusedRow } from "./admission.ts";
import type { DirectChunk } from "./chunking.ts";

/** What became of a chunk: stored at a sequence, or not (so far as is known), with the reason. */
export type ChunkResult =
  | { readonly kind: "stored"; readonly incarnation: number; readonly sequence: number }
  | { readonly kind: "failed"; readonly error: TributaryError };

export interface PublishedChunk {
  readonly chunk: DirectChunk;
  readonly result: ChunkResult;
}

/** Every row's outcome, in the request's order. */
export function toReply(refused: readonly RefusedRow[], published: readonly PublishedChunk[]): WriteReply {
  const outcomes: RowOutcome[] = [];
  for (const { index, code, message } of refused) outcomes[index] = failure("refused", code, message);
  for (const { chunk, result } of published) {
    chunk.rows.forEach((row, at) => {
      outcomes[row.index] = rowOutcome(tokenOf(chunk.chunk.view, row, at), result);
    });
  }
  const count = (kind: RowOutcome["kind"]) => outcomes.filter((outcome) => outcome.kind === kind).length;
  return { outcomes, accepted: count("accepted"), refused: count("refused"), unknown: count("unknown") };
}

type TokenOf = (stored: { incarnation: number; sequence: number }) => WriteToken;

function tokenOf(view: string, row: AdmittedRow, at: number): TokenOf {
  return ({ incarnation, sequence }) => ({
    view,
    key: row.key,
    features: [...row.cells.keys()],
    eventTime: row.eventTime,
    incarnation,
    sequence,
    row: at,
  });
}

function rowOutcome(token: TokenOf, result: ChunkResult): RowOutcome {
  if (result.kind === "stored") return { kind: "accepted", token: token(result) };
  const { code, message } = result.error;
  return failure(code === "UNKNOWN_OUTCOME" ? "unknown" : "refused", code, message);
}

function failure(kind: "refused" | "unknown", code: ErrorCode, message: string): RowOutcome {
  return { kind, code, message, hint: errorTable[code].fix };
}

/** The one error of a write of which nothing was stored because the broker would not; undefined when there are outcomes to tell. */
export function wholeFailure(published: readonly PublishedChunk[]): TributaryError | undefined {
  const errors = published.map(({ result }) => (result.kind === "failed" ? result.error : undefined));
  if (errors.length === 0 || errors.includes(undefined)) return undefined;
  // "Unknown" is the strongest: the caller must not take the write for refused.
  return errors.find((error) => error?.code === "UNKNOWN_OUTCOME") ?? errors[0];
}

/** HTTP status of a reply: 200 all accepted, 207 some, else the first refusal's own. */
export function replyStatus(reply: WriteReply): number {
  if (reply.accepted === reply.outcomes.length) return 200;
  if (reply.accepted > 0) return 207;
  const first = reply.outcomes.find((outcome) => outcome.kind !== "accepted");
  return first ? new TributaryError(first.code as ErrorCode, "").httpStatus : 200;
}
