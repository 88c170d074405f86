import type { Logger } from "@tributary/shared/runtime/logger";
import type { RedisAddress } from "./redis-address.ts";
import { answerOf, checkEviction, connectRedis, type RedisConnection } from "./redis-client.ts";

export interface NodeOptions {
  readonly address: RedisAddress;
  readonly name: string;
  readonly logger: Logger;
  readonly commandTimeoutMs: number;
}

/** One master of a cluster. */
export class ClusterNode {
  /** `host:port`. */
  readonly address: string;
  readonly redis: RedisConnection;
  readonly #logger: Logger;
  readonly #readied: (() => void)[] = [];
  #connections = 0;
  #run: string | undefined;

  constructor(address: string, { address: login, name, logger, commandTimeoutMs }: NodeOptions) {
    this.address = address;
    this.#logger = logger;
    const colon = address.lastIndexOf(":");
    const url = login.at(address.slice(0, colon), Number(address.slice(colon + 1)));
    this.redis = connectRedis({ url, name: `${name}@${address}`, logger, commandTimeoutMs });
    this.redis.on("close", () => {
      this.#connections += 1;
      this.#run = undefined;
    });
    this.redis.on("ready", () => void this.#meet());
  }

  /** Run id of the server behind the connection that is open now; undefined until it has told. */
  get run(): string | undefined {
    return this.#run;
  }

  onReady(callback: () => void): void {
    this.#readied.push(callback);
  }

  disconnect(): void {
    this.redis.disconnect();
  }

  /** Asked first on every new connection: so it is known before any answer that needs it. */
  async #meet(): Promise<void> {
    const connection = this.#connections;
    try {
      const run = /^run_id:(\w+)/m.exec(await answerOf(this.redis.info("server")))?.[1];
      if (connection !== this.#connections) return;
      this.#run = run;
      for (const callback of this.#readied) callback();
      await checkEviction(this.redis);
    } catch (error) {
      this.#logger.error({ server: this.address, error: String(error) }, "a redis server cannot be relied on");
      // Else nothing it answers on this connection would ever count.
      if (connection === this.#connections && this.#run === undefined) this.redis.disconnect(true);
    }
  }
}
