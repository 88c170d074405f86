import { createInbox, type Msg, type MsgHdrs } from "nats";
import type { Client } from "./client.ts";

export interface Question {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
  readonly timeoutMs: number;
}

/**
 *   nobody    no one listens on the subject
 *   refused   the user may not publish to it
 *   closed    the connection is, or is being closed: nothing was sent
 *   late      no answer in time, or none before the connection was closed: the question may have been heard
 */
export type Unanswered = "nobody" | "refused" | "closed" | "late";

export class UnansweredError extends Error {
  readonly why: Unanswered;

  constructor(why: Unanswered) {
    super(`a request was not answered: ${why}`);
    this.name = "UnansweredError";
    this.why = why;
  }
}

const inboxes = new WeakMap<Client, Inbox>();

/**
 * One question and the first answer to it. Answers to all questions of a connection come to one subscription. The client library
 * does the same at two to three times the cost: of every request that is answered it makes an error that nobody sees, stack and all.
 * @throws UnansweredError
 */
export function ask(client: Client, question: Question): Promise<Msg> {
  if (client.nats.isClosed() || client.nats.isDraining()) return Promise.reject(new UnansweredError("closed"));
  const inbox = inboxes.get(client) ?? new Inbox(client);
  inboxes.set(client, inbox);
  return inbox.ask(question);
}

interface Waiting {
  readonly subject: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: UnansweredError) => void;
}

class Inbox {
  readonly #client: Client;
  readonly #subject: string;
  readonly #unlisten: () => void;
  readonly #waiting = new Map<string, Waiting>();
  #tokens = 0;

  constructor(client: Client) {
    this.#client = client;
    this.#subject = createInbox(`_INBOX.${client.user}`);
    client.nats.subscribe(`${this.#subject}.*`, {
      callback: (error, message) => {
        if (error === null) this.#take(message);
        else this.#giveUp();
      },
    });
    this.#unlisten = client.listen({
      onPublishRefused: (refused) => this.#endAll("refused", ({ subject }) => subject === refused),
      onClosed: () => this.#endAll("late"),
    });
  }

  ask({ subject, data, headers, timeoutMs }: Question): Promise<Msg> {
    const token = (this.#tokens++).toString(36);
    const reply = `${this.#subject}.${token}`;
    return new Promise((resolve, reject) => {
      this.#client.nats.publish(subject, data, headers === undefined ? { reply } : { reply, headers });
      const timer = setTimeout(() => this.#end(token, "late"), timeoutMs);
      this.#waiting.set(token, { subject, timer, resolve, reject });
    });
  }

  #take(message: Msg): void {
    const token = message.subject.slice(this.#subject.length + 1);
    // The broker itself answers where nobody listens.
    if (message.data.length === 0 && message.headers?.code === 503) this.#end(token, "nobody");
    else this.#settle(token)?.resolve(message);
  }

  /** The user may not listen to answers: the next question tries anew. */
  #giveUp(): void {
    inboxes.delete(this.#client);
    this.#unlisten();
    this.#endAll("refused");
  }

  #endAll(why: Unanswered, isMeant: (waiting: Waiting) => boolean = () => true): void {
    for (const [token, waiting] of [...this.#waiting]) if (isMeant(waiting)) this.#end(token, why);
  }

  #end(token: string, why: Unanswered): void {
    this.#settle(token)?.reject(new UnansweredError(why));
  }

  /** Who waited; undefined of an answer that comes too late. */
  #settle(token: string): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(token);
    clearTimeout(waiting.timer);
    return waiting;
  }
}
