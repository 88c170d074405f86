import type { Msg } from "nats";
import type { DeliveredMessage } from "./contract.ts";
import { fromHeaderBlock } from "./header-block.ts";

/** A message as a pull consumer hands it over, with the subject that acknowledges it. */
export interface Delivery {
  readonly message: DeliveredMessage;
  readonly ackSubject: string;
  /** The consumer's own count: a hole in it is a message that was lost on the way. */
  readonly deliverySequence: number;
}

/**
 * Reads the reply subject `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<delivery sequence>.<ns>.<pending>`;
 * with a domain, and from server 2.15 on, `<domain>.<account>` stand before the stream. Undefined: not a delivery.
 */
export function readDelivery(message: Msg): Delivery | undefined {
  const tokens = (message.reply ?? "").split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const [stream, , deliveries, sequence, deliverySequence, nanoseconds] = tokens.slice(tokens.length > 9 ? 4 : 2);
  return {
    ackSubject: message.reply ?? "",
    deliverySequence: Number(deliverySequence),
    message: {
      subject: message.subject,
      data: message.data,
      headers: fromHeaderBlock(message.headers),
      stream: stream ?? "",
      sequence: Number(sequence),
      // As text: the number has more digits than a double holds.
      timestampMs: Number((nanoseconds ?? "").slice(0, -6)),
      deliveries: Number(deliveries),
    },
  };
}
