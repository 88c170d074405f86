import { type Msg, nuid, type Subscription } from "nats";
import { asTributaryError, TributaryError } from "../contracts/errors.ts";
import { trustedFronts } from "../contracts/principals.ts";
import { type Client, clientOf } from "./client.ts";
import type { Connection, Endpoint, EndpointRequest, Headers, MicroService, ServeOptions } from "./contract.ts";
import { EndpointStats } from "./endpoint-stats.ts";
import { fromHeaderBlock, toHeaderBlock } from "./header-block.ts";
import { type Described, describe, queueOf, type Verb, verbSubjects, verbs } from "./micro-protocol.ts";
import { deadlineHeader, principalHeader, toErrorHeaders } from "./service-errors.ts";

/**
 * Answers requests and speaks the micro protocol (`nats micro ls|info|stats`). The client library's own service leaves a
 * rejected handler as an unhandled rejection, counts only synchronous failures and time, and closes with any refused
 * subscription; here every failure becomes a reply with its code, and a refused subscription rejects.
 * Bounded: `concurrencyMax` per endpoint, above it OVERLOADED at once; a request past its deadline is not worked on.
 *
 * @throws TributaryError BAD_CONFIG when the broker refuses a subscription; UNAVAILABLE
 */
export async function serveEndpoints(connection: Connection, options: ServeOptions): Promise<MicroService> {
  const service = new EndpointServer(connection, options);
  await Promise.race([clientOf(connection).nats.flush(), service.failed]);
  return service;
}

const deadlineMsDefault = 5_000;
const concurrencyMaxDefault = 64;
const payloadReserveBytes = 1_024;

class EndpointServer implements MicroService {
  readonly id = nuid.next();
  readonly failed: Promise<never>;
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #described: Described;
  readonly #stats = new Map<string, EndpointStats>();
  readonly #subscriptions: Subscription[] = [];
  readonly #working = new Set<Promise<void>>();
  readonly #unlisten: () => void;
  #fail: (error: TributaryError) => void = () => {};

  constructor(connection: Connection, options: ServeOptions) {
    this.#connection = connection;
    this.#client = clientOf(connection);
    const startedAt = new Date().toISOString();
    this.#described = { id: this.id, options, startedAt, stats: this.#stats };
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever awaits `failed` later still sees it; until then it is not an unhandled rejection.
    this.failed.catch((error) => this.#client.logger?.error(String(error)));
    this.#unlisten = this.#client.listen({
      onClosed: () => this.#fail(new TributaryError("UNAVAILABLE", "the connection to nats-server is closed")),
    });
    for (const endpoint of options.endpoints) this.#serve(endpoint);
    for (const verb of verbs) this.#serveVerb(verb);
  }

  async stop(): Promise<void> {
    this.#unlisten();
    const drained = this.#subscriptions.map((subscription) => this.#endSubscription(subscription));
    await Promise.all(drained);
    await Promise.all(this.#working);
    if (this.#client.isConnected()) await this.#client.nats.flush();
  }

  async #endSubscription(subscription: Subscription): Promise<void> {
    if (this.#client.nats.isClosed() || subscription.isClosed()) return;
    if (this.#client.isConnected()) await subscription.drain();
    else subscription.unsubscribe();
  }

  #serve(endpoint: Endpoint): void {
    const stats = new EndpointStats();
    this.#stats.set(endpoint.name, stats);
    const gate = { working: 0, max: endpoint.concurrencyMax ?? concurrencyMaxDefault };
    this.#subscribe(endpoint.subject, queueOf(endpoint), (message) => {
      if (endpoint.isMine?.(this.#toRequest(message)) === false) return;
      const startedAt = performance.now();
      const work = this.#reply(endpoint, message, gate).then((error) => stats.record(startedAt, error));
      this.#working.add(work);
      void work.finally(() => this.#working.delete(work));
    });
  }

  #serveVerb(verb: Verb): void {
    for (const subject of verbSubjects(verb, this.#described.options.name, this.id)) {
      this.#subscribe(subject, undefined, (message) => {
        this.#send(message, new TextEncoder().encode(JSON.stringify(describe(verb, this.#described))), {});
      });
    }
  }

  #subscribe(subject: string, queue: string | undefined, onMessage: (message: Msg) => void): void {
    const callback = (error: Error | null, message: Msg) => {
      if (error === null) return onMessage(message);
      const why = `user "${this.#connection.user}" may not serve ${subject}: ${error.message}`;
      this.#fail(new TributaryError("BAD_CONFIG", why));
    };
    const options = queue === undefined ? { callback } : { callback, queue };
    this.#subscriptions.push(this.#client.nats.subscribe(subject, options));
  }

  /** The error that was answered, if any. Never rejects. */
  async #reply(
    endpoint: Endpoint,
    message: Msg,
    gate: { working: number; readonly max: number },
  ): Promise<TributaryError | undefined> {
    try {
      if (gate.working >= gate.max) {
        throw new TributaryError("OVERLOADED", `${endpoint.name}: ${gate.max} requests are in work already`);
      }
      gate.working += 1;
      const reply = await this.#work(endpoint, message).finally(() => {
        gate.working -= 1;
      });
      this.#send(message, reply, {});
      return undefined;
    } catch (thrown) {
      const error = asTributaryError(thrown);
      if (error.code === "INTERNAL")
        this.#client.logger?.error({ endpoint: endpoint.name, stack: error.stack }, error.message);
      this.#send(message, new Uint8Array(), toErrorHeaders(error));
      return error;
    }
  }

  async #work(endpoint: Endpoint, message: Msg): Promise<Uint8Array> {
    const request = this.#toRequest(message);
    if (Date.now() >= request.deadlineMs) {
      throw new TributaryError("DEADLINE", `${endpoint.name}: the request's deadline had passed when it arrived`);
    }
    const reply = await endpoint.handle(request);
    const bytesMax = request.replyBytesMax;
    if (reply.length <= bytesMax) return reply;
    throw new TributaryError(
      "LIMIT_EXCEEDED",
      `${endpoint.name}: a reply of ${reply.length} bytes is above ${bytesMax}`,
    );
  }

  #toRequest(message: Msg): EndpointRequest {
    return toRequest(message, this.#connection.payloadMax - payloadReserveBytes);
  }

  /** Nobody may be waiting any more, and a lost connection loses the reply: the caller's deadline covers both. */
  #send(message: Msg, data: Uint8Array, headers: Headers): void {
    if (!this.#client.isConnected()) return;
    const block = toHeaderBlock(headers);
    try {
      message.respond(data, block === undefined ? {} : { headers: block });
    } catch (error) {
      this.#client.logger?.warn({ subject: message.subject, error: String(error) }, "cannot send a reply");
    }
  }
}

function toRequest(message: Msg, replyBytesMax: number): EndpointRequest {
  const headers = fromHeaderBlock(message.headers);
  const deadline = Number(headers[deadlineHeader] ?? "");
  const hasDeadline = Number.isFinite(deadline) && deadline > 0;
  return {
    subject: message.subject,
    data: message.data,
    headers,
    deadlineMs: hasDeadline ? deadline : Date.now() + deadlineMsDefault,
    principal: principalOf(message.reply ?? "", headers),
    replyBytesMax,
  };
}

/** Only a front that checked the caller itself may name another principal. */
function principalOf(reply: string, headers: Headers): string {
  const user = /^_INBOX\.([^.]+)\./.exec(reply)?.[1] ?? "unknown";
  return (trustedFronts.has(user) ? headers[principalHeader] : undefined) ?? user;
}
