import type { Connection } from "./contract.ts";
import { callApiOn } from "./jetstream-api.ts";

export interface ConsumerState {
  /** Everything up to this stream sequence is acknowledged. */
  readonly ackFloor: number;
  /** The greatest stream sequence that was ever delivered. */
  readonly delivered: number;
  /** Matching messages not delivered yet. */
  readonly pending: number;
  /** Delivered and not acknowledged yet. */
  readonly ackPending: number;
  readonly redelivered: number;
  /** After this without an acknowledgement a message is delivered again, ms. */
  readonly ackWaitMs: number;
}

interface ConsumerInfo {
  readonly config: { readonly ack_wait?: number };
  readonly ack_floor: { readonly stream_seq: number };
  readonly delivered: { readonly stream_seq: number };
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
}

/**
 * How far a durable consumer is.
 * @throws TributaryError MISSING_RESOURCE naming stream and consumer; UNAVAILABLE
 */
export async function readConsumerState(
  connection: Connection,
  stream: string,
  consumer: string,
): Promise<ConsumerState> {
  const resource = `consumer ${consumer} of stream ${stream}`;
  const info = await callApiOn<ConsumerInfo>(connection, `CONSUMER.INFO.${stream}.${consumer}`, resource);
  return {
    ackFloor: info.ack_floor.stream_seq,
    delivered: info.delivered.stream_seq,
    pending: info.num_pending,
    ackPending: info.num_ack_pending,
    redelivered: info.num_redelivered,
    ackWaitMs: (info.config.ack_wait ?? 30e9) / 1e6,
  };
}
