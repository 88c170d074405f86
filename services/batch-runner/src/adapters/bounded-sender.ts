import type { PublishAck, Publisher, PublishMessage } from "@tributary/shared/messaging/contract";

/** Publishes with a bound on what is unacknowledged, so that a run of any size holds a few chunks in memory. */
export interface BoundedSender {
  /** Waits for room, then sends. @throws the first failure of any message sent before */
  send(message: PublishMessage, onAck?: (ack: PublishAck) => void): Promise<void>;
  /** Resolves when everything is acknowledged. @throws the first failure */
  drain(): Promise<void>;
  readonly acknowledged: number;
}

export interface SenderOptions {
  readonly inFlightMax: number;
  /** Ends every wait with its reason; what is on its way stays so. */
  readonly signal: AbortSignal;
}

export function createBoundedSender(publisher: Publisher, { inFlightMax, signal }: SenderOptions): BoundedSender {
  const inFlight = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let acknowledged = 0;
  const check = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    get acknowledged() {
      return acknowledged;
    },
    send: async (message, onAck) => {
      while (inFlight.size >= inFlightMax && failure === undefined) await orAborted(signal, Promise.race(inFlight));
      check();
      const sent: Promise<void> = publisher
        .publish(message)
        .then((ack) => {
          acknowledged++;
          onAck?.(ack);
        })
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => inFlight.delete(sent));
      inFlight.add(sent);
    },
    drain: async () => {
      await orAborted(signal, Promise.all(inFlight));
      check();
    },
  };
}

async function orAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
