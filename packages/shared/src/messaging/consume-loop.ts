import { asTributaryError, type ErrorCode, TributaryError } from "../contracts/errors.ts";
import { type Client, clientOf } from "./client.ts";
import { type ConsumerState, readConsumerState } from "./consumer-state.ts";
import type { Connection, ConsumeLoop, ConsumeOptions, DeliveredMessage, Outcome } from "./contract.ts";
import { publishDeadLetter } from "./dead-letter.ts";
import type { Delivery } from "./delivery.ts";
import { FailureCounts } from "./failure-counts.ts";
import { RawPull } from "./raw-pull.ts";
import { readStreamState } from "./stream-state.ts";

/**
 * The one place where outcomes become broker acknowledgements. Whatever has arrived is handed over at once; while a batch is
 * in hand no more than `batchMax` messages are held. Acknowledgements are not confirmed: a lost one means another delivery,
 * which handlers bear. The broker has no delivery limit; the poison rule is here: after `triesMax` counted failures, or
 * on `reject`, the dead letter is stored first and only then the message terminated, without a reason (a server below 2.10.4
 * takes a reason for an unknown acknowledgement and delivers for ever).
 * A batch that throws is handed over again one message at a time, so that a poisonous one takes no neighbour with it.
 *
 * @throws TributaryError MISSING_RESOURCE naming the stream or consumer
 */
export async function startConsumeLoop(connection: Connection, options: ConsumeOptions): Promise<ConsumeLoop> {
  const [stream, consumer] = await Promise.all([
    readStreamState(connection, options.stream),
    readConsumerState(connection, options.stream, options.durable),
  ]);
  return new PullConsumeLoop(connection, options, { incarnation: stream.incarnation, ackWaitMs: consumer.ackWaitMs });
}

const acknowledge = "+ACK";
const terminate = "+TERM";
const inProgress = "+WPI";
const retryMs = 250;
const retryMsMax = 10_000;
const deadLetterRetryMs = 1_000;
const pausedRetryMs = 500;

class PullConsumeLoop implements ConsumeLoop {
  readonly incarnation: number;
  readonly counters = { acked: 0, retried: 0, rejected: 0 };
  readonly failed: Promise<never>;
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #options: ConsumeOptions;
  readonly #batchMax: number;
  readonly #failures = new FailureCounts();
  readonly #pull: RawPull;
  readonly #workTimer: NodeJS.Timeout;
  readonly #unlisten: () => void;
  #buffer: Delivery[] = [];
  #inHand: Delivery[] = [];
  #running: Promise<void> | undefined;
  #pause: NodeJS.Timeout | undefined;
  #isStopping = false;
  #fail: (error: TributaryError) => void = () => {};

  constructor(
    connection: Connection,
    options: ConsumeOptions,
    state: { readonly incarnation: number; readonly ackWaitMs: number },
  ) {
    this.incarnation = state.incarnation;
    this.#connection = connection;
    this.#client = clientOf(connection);
    this.#options = options;
    this.#batchMax = options.batchMax ?? 64;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Whoever awaits `failed` later still sees it; until then it is not an unhandled rejection.
    this.failed.catch((error) => this.#client.logger?.error({ durable: options.durable }, String(error)));
    this.#pull = new RawPull(connection, {
      stream: options.stream,
      consumer: options.durable,
      room: () => (this.#pause === undefined ? this.#batchMax - this.#buffer.length - this.#inHand.length : 0),
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onTrouble: (why) => void this.#onTrouble(why),
    });
    this.#unlisten = this.#client.listen({
      onReconnect: () => this.#pull.restart(),
      onClosed: () => this.#fail(new TributaryError("UNAVAILABLE", "the connection to nats-server is closed")),
    });
    this.#workTimer = setInterval(() => this.#sayInProgress(), state.ackWaitMs / 2).unref();
  }

  async ackFloor(): Promise<number> {
    return (await this.#state()).ackFloor;
  }

  async delivered(): Promise<number> {
    return (await this.#state()).delivered;
  }

  #state(): Promise<ConsumerState> {
    return readConsumerState(this.#connection, this.#options.stream, this.#options.durable);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#pause);
    await this.#pull.stop();
    for (const delivery of this.#buffer.splice(0)) this.#answer(delivery, nak(0));
    await this.#running;
    clearInterval(this.#workTimer);
    this.#unlisten();
    if (this.#client.isConnected()) await this.#client.nats.flush();
  }

  #onDelivery(delivery: Delivery): void {
    if (this.#isStopping) {
      this.#answer(delivery, nak(0));
      return;
    }
    if (this.#pause !== undefined) {
      this.#answer(delivery, nak(pausedRetryMs));
      return;
    }
    this.#buffer.push(delivery);
    // Not at once: what came in the same read from the socket goes into the same batch.
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#buffer.length > 0) {
      this.#inHand = this.#takeBatch();
      await this.#process(this.#inHand);
      this.#inHand = [];
      this.#pull.refill();
    }
    this.#running = undefined;
  }

  #takeBatch(): Delivery[] {
    const suspect = this.#buffer.findIndex((delivery) => this.#failures.isSuspect(delivery.message.sequence));
    const count = suspect === -1 ? this.#batchMax : Math.max(1, suspect);
    return this.#buffer.splice(0, count);
  }

  async #process(batch: readonly Delivery[]): Promise<void> {
    const outcomes = await this.#handle(batch);
    for (const [index, delivery] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) await this.#settle(delivery, outcome);
    }
    const pausesMs = outcomes.map((outcome) => (outcome.kind === "retry" && outcome.pauses ? outcome.afterMs : 0));
    this.#pauseFor(Math.max(...pausesMs));
  }

  /** What was asked for before may still come and is given back, once: then the broker holds everything. */
  #pauseFor(ms: number): void {
    if (ms <= 0 || this.#isStopping) return;
    for (const delivery of this.#buffer.splice(0)) this.#answer(delivery, nak(ms));
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#pull.refill();
    }, ms);
  }

  async #handle(batch: readonly Delivery[]): Promise<readonly Outcome[]> {
    try {
      const outcomes = await this.#options.handle(batch.map((delivery) => delivery.message));
      if (outcomes.length === batch.length) return outcomes;
      throw new TributaryError("INTERNAL", `the handler gave ${outcomes.length} outcomes for ${batch.length} messages`);
    } catch (thrown) {
      return this.#onThrow(batch, asTributaryError(thrown));
    }
  }

  /** A retryable error is an outage, not the messages' fault: it is never counted. */
  #onThrow(batch: readonly Delivery[], error: TributaryError): Outcome[] {
    const stack = error.code === "INTERNAL" ? error.stack : undefined;
    const first = batch[0]?.message.sequence;
    this.#client.logger?.error({ code: error.code, first, messages: batch.length, stack }, error.message);
    const counted = !error.retryable;
    return batch.map(({ message }) => {
      if (counted && batch.length > 1) this.#failures.suspect(message.sequence);
      const afterMs = Math.min(retryMs * 2 ** Math.min(message.deliveries - 1, 10), retryMsMax);
      return { kind: "retry", afterMs, why: error.message, counted };
    });
  }

  async #settle(delivery: Delivery, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case "ack":
        this.#failures.forget(delivery.message.sequence);
        this.counters.acked += 1;
        return this.#answer(delivery, acknowledge);
      case "retry":
        return this.#retry(delivery, outcome);
      case "reject":
        return this.#setAside(delivery, outcome.code, outcome.why);
      default:
        return outcome satisfies never;
    }
  }

  async #retry(delivery: Delivery, outcome: Extract<Outcome, { kind: "retry" }>): Promise<void> {
    const failures = outcome.counted ? this.#failures.fail(delivery.message.sequence) : 0;
    if (failures >= (this.#options.triesMax ?? 5)) {
      return this.#setAside(delivery, "POISON", `${failures} failures, the last: ${outcome.why}`);
    }
    this.counters.retried += 1;
    this.#answer(delivery, nak(outcome.afterMs));
  }

  /** The message stays in the stream's hands until its dead letter is stored. */
  async #setAside(delivery: Delivery, code: ErrorCode, why: string): Promise<void> {
    const { message } = delivery;
    const where = { stream: message.stream, sequence: message.sequence, subject: message.subject, code };
    try {
      await this.#options.beforeDeadLetter?.(message, code, why);
      await this.#publishDeadLetter(message, code, why);
    } catch (error) {
      this.#client.logger?.error({ ...where, error: String(error) }, "cannot set a message aside; it stays");
      this.counters.retried += 1;
      return this.#answer(delivery, nak(deadLetterRetryMs));
    }
    this.#client.logger?.warn(where, `set aside: ${why}`);
    this.#failures.forget(message.sequence);
    this.counters.rejected += 1;
    this.#answer(delivery, terminate);
  }

  #publishDeadLetter(message: DeliveredMessage, code: ErrorCode, cause: string): Promise<void> {
    const { lane, process } = this.#options;
    const { stream, sequence, subject, deliveries, data } = message;
    const letter = { lane, process, stream, sequence, subject, code, cause, deliveries, payload: data };
    return publishDeadLetter(this.#connection, letter);
  }

  /** An answer that cannot be sent means another delivery. */
  #answer(delivery: Delivery, verb: string): void {
    if (!this.#client.isConnected()) return;
    try {
      this.#client.nats.publish(delivery.ackSubject, verb);
    } catch (error) {
      this.#client.logger?.warn({ error: String(error) }, "cannot acknowledge; the message will come again");
    }
  }

  #sayInProgress(): void {
    for (const delivery of [...this.#inHand, ...this.#buffer]) this.#answer(delivery, inProgress);
  }

  async #onTrouble(why: string): Promise<void> {
    try {
      await readConsumerState(this.#connection, this.#options.stream, this.#options.durable);
    } catch (error) {
      if (error instanceof TributaryError && error.code === "MISSING_RESOURCE") return this.#fail(error);
    }
    this.#client.logger?.warn({ durable: this.#options.durable }, `pulling again: ${why}`);
    this.#pull.refill();
  }
}

function nak(delayMs: number): string {
  return delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}` : "-NAK";
}
