import { TributaryError } from "../contracts/errors.ts";
import type { StreamState } from "./contract.ts";

export interface ReaderPosition {
  readonly stream: string;
  /** Absent: any. */
  readonly incarnation: number | undefined;
  /** Everything up to this sequence has been read. */
  readonly position: number;
}

/**
 * What a reader at `position` has lost, if anything: the stream was made anew, ends before the position (restored from an
 * older copy), or begins after the next sequence. Whether a lost sequence matched the reader's filter nobody can tell any
 * more, so it counts as lost. An empty stream begins after its last sequence.
 */
export function historyLoss(state: StreamState, reader: ReaderPosition): TributaryError | undefined {
  const { stream, position } = reader;
  if (reader.incarnation !== undefined && reader.incarnation !== state.incarnation) {
    const [was, is] = [reader.incarnation, state.incarnation].map((ms) => new Date(ms).toISOString());
    return lost(`stream ${stream} was made anew: created ${is}, the position belongs to ${was}`);
  }
  if (state.lastSequence < position) {
    return lost(`stream ${stream} ends at ${state.lastSequence}, the position is ${position}`);
  }
  if (state.firstSequence > position + 1) {
    return lost(`stream ${stream} begins at ${state.firstSequence}, the position is ${position}`);
  }
  return undefined;
}

function lost(message: string): TributaryError {
  return new TributaryError("HISTORY_LOST", message);
}
