import type { PublishAck } from "@tributary/shared/messaging/contract";

/**
 * How requests and events travel: over NATS, over HTTP, or to a stand-in inside the process. Everything above it, from the types
 * to splitting, is the same for all; one suite of tests runs against each.
 */
export interface Transport {
  /**
   * Msgpack of a read request → msgpack of its reply.
   * @throws TributaryError the store's own; UNAVAILABLE, DEADLINE
   */
  read(body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /**
   * Msgpack of a write request → msgpack of its reply.
   * @throws TributaryError the gateway's own; UNAVAILABLE nothing was done; UNKNOWN_OUTCOME it may have happened
   */
  write(body: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Resolves once the message is stored. A message that comes again with its id within two minutes is stored once. */
  publish(message: EventMessage): Promise<PublishAck>;
  close(): Promise<void>;
}

export interface EventMessage {
  readonly source: string;
  /** Msgpack of an array of events. */
  readonly data: Uint8Array;
  /** Of the message, inside its source. */
  readonly id: string;
}
