import { TributaryError } from "../contracts/errors.ts";
import { clientOf } from "./client.ts";
import type { Connection, Headers } from "./contract.ts";
import { fromHeaderBlock } from "./header-block.ts";

export interface TappedMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Headers;
}

export interface Tap {
  /** Rejects when the server refuses the subscription or the connection is closed. */
  readonly failed: Promise<never>;
  stop(): void;
}

/**
 * Looks on: calls back with whatever is published to the subject from now on. No stream, no acknowledgement, nothing kept; what is
 * published while the connection is lost is missed. Resolves when the server knows of the subscription.
 * @throws TributaryError UNAVAILABLE
 */
export async function openTap(
  connection: Connection,
  subject: string,
  onMessage: (message: TappedMessage) => void,
): Promise<Tap> {
  const { nats, user } = clientOf(connection);
  let fail: (error: TributaryError) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null)
        return fail(new TributaryError("BAD_CONFIG", `user "${user}" may not listen on ${subject}`, { cause: error }));
      onMessage({ subject: message.subject, data: message.data, headers: fromHeaderBlock(message.headers) });
    },
  });
  connection.closed.then(() => fail(new TributaryError("UNAVAILABLE", "the connection to nats-server is closed")));
  await nats.flush();
  return { failed, stop: () => subscription.unsubscribe() };
}
