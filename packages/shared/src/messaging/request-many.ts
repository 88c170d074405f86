import { createInbox, type Msg, type Subscription } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import { type Client, clientOf, connected } from "./client.ts";
import type { CollectOptions, Connection } from "./contract.ts";

/**
 * One question to everybody, and every answer's bytes, in the order in which they came. Undefined when nobody listens: an
 * empty list then means that somebody does and does not answer.
 * @throws TributaryError BAD_CONFIG when the user may not ask
 */
export async function requestMany(
  connection: Connection,
  subject: string,
  options: CollectOptions,
): Promise<readonly Uint8Array[] | undefined> {
  const client = clientOf(connection);
  await connected(client, options.waitMs);
  const collection = new Collection(client, subject, options);
  try {
    return await collection.answers;
  } finally {
    collection.end();
  }
}

class Collection {
  readonly answers: Promise<readonly Uint8Array[] | undefined>;
  readonly #found: Uint8Array[] = [];
  readonly #options: CollectOptions;
  readonly #subscription: Subscription;
  readonly #unlisten: () => void;
  readonly #bound: NodeJS.Timeout;
  #quiet: NodeJS.Timeout | undefined;
  #settle: (found: readonly Uint8Array[] | undefined) => void = () => {};
  #fail: (error: TributaryError) => void = () => {};

  constructor(client: Client, subject: string, options: CollectOptions) {
    this.#options = options;
    this.answers = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    const refused = () => new TributaryError("BAD_CONFIG", `user "${client.user}" may not ask on ${subject}`);
    this.#unlisten = client.listen({
      onPublishRefused: (refusedSubject) => refusedSubject === subject && this.#fail(refused()),
      onClosed: () => this.#fail(new TributaryError("UNAVAILABLE", "the connection to nats-server is closed")),
    });
    const inbox = createInbox(`_INBOX.${client.user}`);
    this.#subscription = client.nats.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.#take(message) : this.#fail(refused())),
    });
    this.#bound = setTimeout(() => this.#settle(this.#found), options.waitMs);
    client.nats.publish(subject, new Uint8Array(), { reply: inbox });
  }

  end(): void {
    clearTimeout(this.#bound);
    clearTimeout(this.#quiet);
    this.#unlisten();
    this.#subscription.unsubscribe();
  }

  /** With status 503 the broker itself answers: nobody listens. */
  #take(message: Msg): void {
    // Answers may come together: what is behind the last one wanted is not collected any more.
    if (this.#found.length === this.#options.countMax) return;
    clearTimeout(this.#quiet);
    if (message.headers?.code === 503) {
      this.#settle(undefined);
    } else if (this.#found.push(message.data) === this.#options.countMax) {
      this.#settle(this.#found);
    } else {
      this.#quiet = setTimeout(() => this.#settle(this.#found), this.#options.quietMs);
    }
  }
}
