import { nuid } from "nats";
import { TributaryError } from "../contracts/errors.ts";
import { type Client, clientOf } from "./client.ts";
import type { Connection, Cursor, CursorOptions, DeliveredMessage, StreamState } from "./contract.ts";
import { historyLoss } from "./cursor-history.ts";
import type { Delivery } from "./delivery.ts";
import { callApi, callApiOn } from "./jetstream-api.ts";
import { RawPull } from "./raw-pull.ts";
import { readStoredMessage } from "./stream-message.ts";
import { readStreamState } from "./stream-state.ts";

/**
 * An ordered read without acknowledgements, through an ephemeral consumer that is made again after a reconnect, a gap or its
 * loss. Under a subject filter stream sequences have holes, so only the consumer's delivery sequence shows a gap on the way;
 * and what the stream itself dropped before it was read shows in no sequence at all. Therefore every `guardEveryMs` the
 * stream's first sequence is compared with the position of the guard before: has it passed that, HISTORY_LOST.
 * While nothing comes, the guard moves the position up to the stream's end, once the broker has said that nothing
 * that matches lies between; else a source idle for longer than the retention would look lost.
 *
 * @throws TributaryError MISSING_RESOURCE naming the stream; HISTORY_LOST as `Cursor.next`
 */
export async function openCursor(connection: Connection, options: CursorOptions): Promise<Cursor> {
  return openStreamCursor(connection, options);
}

export interface StreamCursorOptions extends Omit<CursorOptions, "stream"> {
  readonly stream: string;
  /** Default 5,000. */
  readonly guardEveryMs?: number;
}

/** The same for any stream, a bucket's included. */
export async function openStreamCursor(connection: Connection, options: StreamCursorOptions): Promise<Cursor> {
  const state = await readStreamState(connection, options.stream);
  const position = options.from === 0 ? state.firstSequence - 1 : options.from - 1;
  const expected = { stream: options.stream, incarnation: options.incarnation, position };
  const loss = historyLoss(state, expected);
  if (loss !== undefined) throw loss;
  const cursor = new PullCursor(
    connection,
    { bufferMax: 256, guardEveryMs: 5_000, ...options },
    state.incarnation,
    position,
  );
  await cursor.open();
  return cursor;
}

type Settings = Required<Omit<StreamCursorOptions, "incarnation">>;

const rebuildPauseMs = 100;
const rebuildPauseMsMax = 2_000;
/** The server drops the consumer of a reader that has asked for nothing this long, ns. */
const inactiveNs = 300e9;

class PullCursor implements Cursor {
  readonly incarnation: number;
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #settings: Settings;
  readonly #unlisten: () => void;
  #buffer: DeliveredMessage[] = [];
  /** Sequence of the last message taken into the buffer, or proven absent up to here. */
  #received: number;
  #handedOver: number;
  #deliverySequence = 0;
  #consumer = "";
  #pull: RawPull | undefined;
  #rebuilding: Promise<void> | undefined;
  #failure: TributaryError | undefined;
  #wake: (() => void) | undefined;
  #guardedAt = performance.now();
  #guardedPosition: number;
  #isClosed = false;

  constructor(connection: Connection, settings: Settings, incarnation: number, position: number) {
    this.incarnation = incarnation;
    this.#connection = connection;
    this.#client = clientOf(connection);
    this.#settings = settings;
    this.#received = position;
    this.#handedOver = position;
    this.#guardedPosition = position;
    this.#unlisten = this.#client.listen({
      onReconnect: () => this.#rebuild("reconnected"),
      onClosed: () => this.#fail(new TributaryError("UNAVAILABLE", "the connection to nats-server is closed")),
    });
  }

  open(): Promise<void> {
    return this.#createConsumer();
  }

  get position(): number {
    return this.#handedOver;
  }

  async next(max: number, waitMs: number): Promise<readonly DeliveredMessage[]> {
    if (this.#isGuardDue()) await this.#guard();
    if (this.#buffer.length === 0 && this.#isOpen()) await this.#arrival(waitMs);
    if (this.#failure !== undefined) throw this.#failure;
    const messages = this.#buffer.splice(0, max);
    this.#handedOver = this.#buffer.length === 0 ? this.#received : (messages.at(-1)?.sequence ?? this.#handedOver);
    this.#pull?.refill();
    return messages;
  }

  async drained(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#buffer.length > 0 || this.#rebuilding !== undefined) return false;
    const received = this.#received;
    const hasMore = await this.#holdsAfter(received);
    return !hasMore && this.#received === received;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unlisten();
    this.#wake?.();
    this.#buffer = [];
    if (this.#client.isConnected()) await this.#rebuilding;
    await this.#dropConsumer();
  }

  #isOpen(): boolean {
    return this.#failure === undefined && !this.#isClosed;
  }

  #isGuardDue(): boolean {
    return this.#client.isConnected() && performance.now() - this.#guardedAt >= this.#settings.guardEveryMs;
  }

  async #arrival(waitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, waitMs);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #fail(error: TributaryError): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async #createConsumer(): Promise<void> {
    const { stream, filter, bufferMax } = this.#settings;
    const name = `cursor-${nuid.next()}`;
    await callApiOn(this.#connection, `CONSUMER.CREATE.${stream}.${name}.${filter}`, `stream ${stream}`, {
      stream_name: stream,
      config: {
        name,
        filter_subject: filter,
        deliver_policy: "by_start_sequence",
        opt_start_seq: this.#received + 1,
        ack_policy: "none",
        replay_policy: "instant",
        inactive_threshold: inactiveNs,
        mem_storage: true,
        num_replicas: 1,
      },
    });
    this.#consumer = name;
    this.#deliverySequence = 0;
    const pull: RawPull = new RawPull(this.#connection, {
      stream,
      consumer: name,
      room: () => bufferMax - this.#buffer.length,
      onDelivery: (delivery) => this.#pull === pull && this.#onDelivery(delivery),
      onTrouble: (why) => this.#pull === pull && this.#rebuild(why),
    });
    this.#pull = pull;
  }

  #onDelivery({ message, deliverySequence }: Delivery): void {
    if (this.#rebuilding !== undefined) return;
    if (deliverySequence !== this.#deliverySequence + 1) {
      this.#rebuild(`delivery ${deliverySequence} came after ${this.#deliverySequence}`);
      return;
    }
    this.#deliverySequence = deliverySequence;
    this.#received = message.sequence;
    this.#buffer.push(message);
    this.#wake?.();
  }

  #rebuild(why: string): void {
    if (!this.#isOpen() || this.#rebuilding !== undefined) return;
    this.#client.logger?.info(
      { stream: this.#settings.stream, filter: this.#settings.filter },
      `reading again: ${why}`,
    );
    this.#rebuilding = this.#rebuildUntilDone().finally(() => {
      this.#rebuilding = undefined;
    });
  }

  async #rebuildUntilDone(): Promise<void> {
    await this.#dropConsumer();
    for (let pauseMs = rebuildPauseMs; this.#isOpen(); pauseMs = Math.min(pauseMs * 2, rebuildPauseMsMax)) {
      try {
        await this.#checkHistory(this.#received);
        if (this.#isOpen()) await this.#createConsumer();
        return this.#isOpen() ? undefined : await this.#dropConsumer();
      } catch (error) {
        this.#onRebuildError(error);
      }
      if (this.#isOpen()) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #onRebuildError(error: unknown): void {
    if (!(error instanceof TributaryError)) throw error;
    if (error.code === "HISTORY_LOST") this.#fail(error);
    else if (error.code === "MISSING_RESOURCE") this.#fail(new TributaryError("HISTORY_LOST", error.message));
    else if (!error.retryable) this.#fail(error);
    else this.#client.logger?.warn({ stream: this.#settings.stream }, error.message);
  }

  async #checkHistory(position: number): Promise<StreamState> {
    const { stream } = this.#settings;
    const state = await readStreamState(this.#connection, stream);
    const loss = historyLoss(state, { stream, incarnation: this.incarnation, position });
    if (loss !== undefined) throw loss;
    return state;
  }

  async #guard(): Promise<void> {
    this.#guardedAt = performance.now();
    const received = this.#received;
    try {
      const state = await this.#checkHistory(this.#guardedPosition);
      if (this.#buffer.length === 0 && state.lastSequence > received) await this.#skipTo(state.lastSequence, received);
      this.#guardedPosition = this.#received;
    } catch (error) {
      this.#onRebuildError(error);
    }
  }

  /** `last` was read before the broker is asked what lies between: what comes later lies beyond it. */
  async #skipTo(last: number, received: number): Promise<void> {
    const hasMore = await this.#holdsAfter(received);
    if (!hasMore && this.#received === received) this.#received = last;
  }

  async #holdsAfter(position: number): Promise<boolean> {
    const { stream, filter } = this.#settings;
    const query = { seq: position + 1, next_by_subj: filter };
    return (await readStoredMessage(this.#connection, stream, query)) !== undefined;
  }

  async #dropConsumer(): Promise<void> {
    const pull = this.#pull;
    this.#pull = undefined;
    await pull?.stop();
    if (!this.#client.isConnected() || this.#consumer === "") return;
    // It goes by itself when nobody asks; deleting it only spares the server.
    await callApi(this.#connection, `CONSUMER.DELETE.${this.#settings.stream}.${this.#consumer}`).catch(
      () => undefined,
    );
  }
}
