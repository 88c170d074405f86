import type { Connection, StreamState } from "./contract.ts";
import { callApiOn } from "./jetstream-api.ts";

interface StreamInfo {
  readonly created: string;
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly messages: number;
    readonly bytes: number;
  };
}

/**
 * What a stream holds. An empty stream's first sequence is the one it will give next.
 * @throws TributaryError MISSING_RESOURCE naming the stream; UNAVAILABLE
 */
export async function readStreamState(connection: Connection, stream: string): Promise<StreamState> {
  const { created, state } = await callApiOn<StreamInfo>(connection, `STREAM.INFO.${stream}`, `stream ${stream}`);
  return {
    incarnation: Date.parse(created),
    firstSequence: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
    lastSequence: state.last_seq,
    messages: state.messages,
    bytes: state.bytes,
  };
}
