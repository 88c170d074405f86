import { createInbox, type Msg, type Subscription } from "nats";
import { type Client, clientOf } from "./client.ts";
import type { Connection } from "./contract.ts";
import { type Delivery, readDelivery } from "./delivery.ts";

/**
 * One outstanding pull on one consumer, renewed as long as its owner has room: a message is handed over in the moment it
 * arrives, and never more are asked for than fit.
 *
 * The client library's own loop raises false alarms behind slow handlers, needs up to 45 s to notice a lost leader and
 * ignores most status answers. Here every answer is acted on at once; silence (a pull on an absent consumer gets no
 * answer at all) is noticed within `silenceMs`.
 */
export interface RawPullOptions {
  readonly stream: string;
  readonly consumer: string;
  /** How many more messages the owner takes now. */
  readonly room: () => number;
  /** Called synchronously for each message; must not throw. */
  readonly onDelivery: (delivery: Delivery) => void;
  /** The consumer may be gone: silence, or the server said so. The pull rests until `refill`. */
  readonly onTrouble: (why: string) => void;
}

const expiresMs = 5_000;
const heartbeatMs = 1_000;
const silenceMs = 2_500;
const pauseMs = 100;
const pauseUnavailableMs = 250;

export class RawPull {
  readonly #client: Client;
  readonly #options: RawPullOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #watchdog: NodeJS.Timeout;
  #token = 0;
  #outstanding = 0;
  #heardAt = 0;
  #resting: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(connection: Connection, options: RawPullOptions) {
    this.#client = clientOf(connection);
    this.#options = options;
    this.#inbox = createInbox(`_INBOX.${connection.user}`);
    this.#subscription = this.#client.nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#onMessage(message);
      },
    });
    this.#watchdog = setInterval(() => this.#checkSilence(), heartbeatMs / 2).unref();
    this.refill();
  }

  /** Asks for as many messages as there is room for, unless a request is out already. */
  refill(): void {
    if (this.#isStopped || this.#outstanding > 0 || this.#resting !== undefined || !this.#client.isConnected()) return;
    const batch = this.#options.room();
    if (batch <= 0) return;
    const { stream, consumer } = this.#options;
    const pull = { batch, expires: expiresMs * 1e6, idle_heartbeat: heartbeatMs * 1e6 };
    this.#token += 1;
    this.#outstanding = batch;
    this.#heardAt = performance.now();
    this.#client.nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(pull), {
      reply: `${this.#inbox}.${this.#token}`,
    });
  }

  /** Whatever was asked for before is lost: after a reconnect. */
  restart(): void {
    this.#endPull();
    this.refill();
  }

  /** Asks for nothing more; what the server has sent already is still handed over before this resolves. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    clearInterval(this.#watchdog);
    clearTimeout(this.#resting);
    if (this.#client.nats.isClosed()) return;
    if (this.#client.isConnected() && !this.#subscription.isClosed()) return this.#subscription.drain();
    this.#subscription.unsubscribe();
  }

  /**
   * A delivery has its own subject, so it does not tell which pull it answers; one that answers a pull given up before
   * only makes the next pull come a little early. A status comes on the pull's inbox.
   */
  #onMessage(message: Msg): void {
    const delivery = readDelivery(message);
    if (delivery === undefined && message.subject !== `${this.#inbox}.${this.#token}`) return;
    this.#heardAt = performance.now();
    if (delivery === undefined) {
      this.#onStatus(message.headers?.code ?? 0, message.headers?.description ?? "");
      return;
    }
    if (this.#outstanding > 0) this.#outstanding -= 1;
    this.#options.onDelivery(delivery);
    if (this.#outstanding === 0) this.refill();
  }

  #onStatus(code: number, description: string): void {
    if (code === 100) return;
    this.#endPull();
    if (code === 408) this.refill();
    else if (code === 400) this.#options.onTrouble(`the server refuses the pull: ${description}`);
    else if (/consumer deleted/i.test(description)) this.#options.onTrouble("the consumer was deleted");
    else this.#rest(code === 503 ? pauseUnavailableMs : pauseMs);
  }

  #rest(ms: number): void {
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.refill();
    }, ms);
  }

  /** After a blocked event loop the heartbeats are still to be read: look again once they are. */
  #checkSilence(): void {
    if (this.#isSilent()) setImmediate(() => this.#isSilent() && this.#onSilence());
  }

  #isSilent(): boolean {
    if (this.#isStopped || this.#outstanding === 0 || !this.#client.isConnected()) return false;
    return performance.now() - this.#heardAt >= silenceMs;
  }

  #onSilence(): void {
    this.#endPull();
    this.#options.onTrouble("no heartbeat");
  }

  #endPull(): void {
    this.#outstanding = 0;
    clearTimeout(this.#resting);
    this.#resting = undefined;
  }
}
