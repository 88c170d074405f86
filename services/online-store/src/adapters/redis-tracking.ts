import { asTributaryError, TributaryError } from "@tributary/shared/contracts/errors";
import type { Logger } from "@tributary/shared/runtime/logger";
import { answerOf, isReplyError, type RedisConnection } from "./redis-client.ts";

/**
 * Redis remembers which keys a connection has read (CLIENT TRACKING) and says over a second connection, once, when one of them
 * changes. Either connection may be lost or hang, and Redis tells the other nothing of it: what it remembers for a dead reading
 * connection is forgotten, what it sends to a dead second one is lost. So both are pinged. Two answers prove that, when the pings
 * were sent, Redis was still remembering, and that whatever it had said up to then has arrived here, as each connection keeps
 * its order.
 *
 * The second connection speaks RESP2, where changes arrive as messages of a channel: the driver passes RESP3's own kind of
 * message to nobody.
 */
export interface Tracking {
  /** What is read from now on will be told about when it changes. */
  readonly isOn: boolean;
  /** It is on, and whatever had changed `lagMsMax` ago has been told. */
  isCurrent(): boolean;
  stop(): Promise<void>;
}

export interface TrackingOptions {
  /** The connection that reads go over, to the one server that holds all keys. */
  readonly reading: RedisConnection;
  /** Greatest age of a proof, real ms. */
  readonly lagMsMax: number;
  readonly listener: ChangeListener;
  readonly logger: Logger;
}

export interface ChangeListener {
  invalidate(key: string): void;
  /** Anything may have changed: Redis was emptied, or it cannot be known. */
  flush(): void;
}

const channel = "__redis__:invalidate";
const reopenMs = 250;
/** Pings in the time after which a proof is too old. */
const pingsPerProof = 4;

/**
 * Reads are tracked when this returns, or will be as soon as Redis can be reached.
 * @throws TributaryError BAD_CONFIG when Redis refuses it
 */
export async function trackReads(options: TrackingOptions): Promise<Tracking> {
  const tracking = new ReadTracking(options);
  try {
    await tracking.open();
  } catch (error) {
    await tracking.stop();
    throw error;
  }
  return tracking;
}

class ReadTracking implements Tracking {
  readonly #options: TrackingOptions;
  #isStopped = false;
  /** Ends the pause of `#follow`. */
  #wake = () => {};
  readonly #onClose = () => this.#readingClosed();
  /** The second connection. */
  #telling: RedisConnection | undefined;
  /** Times that the reading connection was closed. */
  #closes = 0;
  #isOn = false;
  #provenAtMs = 0;
  #following: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: TrackingOptions) {
    this.#options = options;
    options.reading.on("close", this.#onClose);
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  isCurrent(): boolean {
    return this.#isOn && performance.now() - this.#provenAtMs <= this.#options.lagMsMax;
  }

  async open(): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      if (isReplyError(error)) throw refused(error);
      if (asTributaryError(error).code !== "UNAVAILABLE") throw error;
      this.#lose(error);
    }
    this.#following = this.#follow();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.reading.off("close", this.#onClose);
    this.#isOn = false;
    this.#wake();
    this.#telling?.disconnect();
    await this.#following;
  }

  /** Pings while it is on, and begins anew while it is not. */
  async #follow(): Promise<void> {
    const pingMs = this.#options.lagMsMax / pingsPerProof;
    while (!this.#isStopped) {
      await this.#pause(this.#isOn ? pingMs : reopenMs);
      if (this.#isStopped) return;
      await (this.#isOn ? this.#prove() : this.#begin()).catch((error: unknown) => this.#lose(error));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #prove(): Promise<void> {
    const { reading } = this.#options;
    const telling = this.#telling;
    if (telling === undefined) return;
    const sentAtMs = performance.now();
    await answerOf(Promise.all([reading.ping(), telling.ping()]));
    if (this.#isOn && this.#telling === telling) this.#provenAtMs = sentAtMs;
  }

  async #begin(): Promise<void> {
    const { reading, logger } = this.#options;
    const closes = this.#closes;
    const telling = this.#connect();
    this.#telling = telling;
    const [id, run] = await subscribed(telling);
    // Ids are of one run of one server: another server may well have somebody else under the same id.
    if (runOf(await answerOf(reading.info())) !== run) throw changedMeanwhile();
    const sentAtMs = performance.now();
    await answerOf(reading.client("TRACKING", "ON", "REDIRECT", id)).catch((error: unknown) => {
      throw isReplyError(error) && /does not exist/.test(error.message) ? changedMeanwhile() : error;
    });
    if (closes !== this.#closes || telling !== this.#telling) throw changedMeanwhile();
    if (this.#isStopped) return;
    this.#provenAtMs = sentAtMs;
    this.#isOn = true;
    if (this.#isFailing) logger.info("the read cache is on again");
    this.#isFailing = false;
  }

  #connect(): RedisConnection {
    const { reading, lagMsMax, listener } = this.#options;
    const telling = reading.duplicate({
      connectionName: `${reading.options.connectionName}-changes`,
      protocol: 2,
      lazyConnect: true,
      autoResubscribe: false,
      // A connection made anew would have another id.
      retryStrategy: () => null,
      commandTimeout: Math.max(lagMsMax, 100),
    });
    telling.on("error", () => undefined); // its close says it
    telling.on("close", () => {
      if (telling === this.#telling) this.#lose("the connection that tells of changes was closed");
    });
    telling.on("messageBuffer", (_channel: Buffer, changed: unknown) => hear(changed, listener));
    return telling;
  }

  #readingClosed(): void {
    this.#closes += 1;
    this.#lose("the connection that reads go over was closed");
  }

  /** At once: nothing may be taken from the cache any more. */
  #lose(why: unknown): void {
    const wasOn = this.#isOn;
    this.#isOn = false;
    const telling = this.#telling;
    this.#telling = undefined;
    telling?.disconnect();
    if (wasOn) this.#options.listener.flush();
    if (wasOn) this.#wake();
    if (this.#isStopped || this.#isFailing) return;
    this.#options.logger.warn({ why: String(why) }, "the read cache is off; reads go to redis");
    this.#isFailing = true;
  }
}

/** Its id, and the run of the server. A connection that has subscribed can no longer be asked for either. */
async function subscribed(telling: RedisConnection): Promise<readonly [id: number, run: string | undefined]> {
  await answerOf(telling.connect());
  const [id, info] = await answerOf(Promise.all([telling.client("ID"), telling.info()]));
  await answerOf(telling.subscribe(channel));
  return [id, runOf(info)];
}

function changedMeanwhile(): TributaryError {
  return new TributaryError("UNAVAILABLE", "redis was connected to anew while tracking was begun");
}

function runOf(info: string): string | undefined {
  return /^run_id:(\w+)/m.exec(info)?.[1];
}

/** Keys, or null for all of them. Whatever else somebody publishes there is taken for the latter. */
function hear(changed: unknown, listener: ChangeListener): void {
  if (!Array.isArray(changed)) listener.flush();
  else for (const key of changed) listener.invalidate(String(key));
}

function refused(error: Error): TributaryError {
  return new TributaryError(
    "BAD_CONFIG",
    `READ_CACHE_BYTES is set, but redis refuses what it takes: ${error.message}; allow the user of REDIS_URL the commands CLIENT and SUBSCRIBE and the channel ${channel}, or set READ_CACHE_BYTES to 0`,
    { cause: error },
  );
}
