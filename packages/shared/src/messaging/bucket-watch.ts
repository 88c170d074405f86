import { type Client, clientOf } from "./client.ts";
import type { BucketEntry, Connection, Cursor } from "./contract.ts";
import { openStreamCursor } from "./cursor.ts";
import { readStreamState } from "./stream-state.ts";

const watchWaitMs = 1_000;

export interface WatchSettings {
  readonly stream: string;
  readonly subject: string;
  readonly relistMs: number;
  readonly read: () => Promise<BucketEntry | undefined>;
  /** A promise that rejects: the entry was not taken up. */
  readonly onEntry: (entry: BucketEntry) => unknown;
}

/** A cursor tells early, a re-list surely. Whichever sees an entry first reports it; an older revision is never reported. */
export class BucketWatch {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #settings: WatchSettings;
  readonly #unlisten: () => void;
  readonly #timer: NodeJS.Timeout;
  #revision = 0;
  #isStopped = false;
  #following: Promise<void> | undefined;
  #cursor: Cursor | undefined;

  constructor(connection: Connection, settings: WatchSettings) {
    this.#connection = connection;
    this.#client = clientOf(connection);
    this.#settings = settings;
    this.#unlisten = this.#client.listen({ onReconnect: () => void this.#relist() });
    this.#timer = setInterval(() => void this.#relist(), settings.relistMs).unref();
  }

  /** Throws when the entry cannot be read at all. */
  async start(): Promise<void> {
    try {
      this.#cursor = await this.#openAtEnd();
      this.#report(await this.#settings.read());
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#following = this.#follow();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unlisten();
    clearInterval(this.#timer);
    await this.#cursor?.close();
    await this.#following;
  }

  async #openAtEnd(): Promise<Cursor> {
    const { stream, subject } = this.#settings;
    const { lastSequence } = await readStreamState(this.#connection, stream);
    return openStreamCursor(this.#connection, { stream, filter: subject, from: lastSequence + 1, bufferMax: 16 });
  }

  async #follow(): Promise<void> {
    while (!this.#isStopped && !this.#client.nats.isClosed()) {
      try {
        this.#cursor ??= await this.#openAtEnd();
        const changes = await this.#cursor.next(16, watchWaitMs);
        if (changes.length > 0) await this.#relist();
      } catch (error) {
        await this.#onTrouble(error);
      }
    }
  }

  /** A stream made anew, or history gone: the re-list does not care, so the watch starts again at the end. */
  async #onTrouble(error: unknown): Promise<void> {
    this.#client.logger?.warn({ subject: this.#settings.subject, error: String(error) }, "watching again");
    await this.#cursor?.close();
    this.#cursor = undefined;
    if (!this.#isStopped) await new Promise((resolve) => setTimeout(resolve, watchWaitMs));
  }

  async #relist(): Promise<void> {
    if (this.#isStopped || !this.#client.isConnected()) return;
    try {
      this.#report(await this.#settings.read());
    } catch (error) {
      this.#client.logger?.warn({ subject: this.#settings.subject, error: String(error) }, "cannot re-list");
    }
  }

  #report(entry: BucketEntry | undefined): void {
    if (entry === undefined || entry.revision <= this.#revision || this.#isStopped) return;
    const before = this.#revision;
    this.#revision = entry.revision;
    void this.#tell(entry).catch(() => {
      if (this.#revision === entry.revision) this.#revision = before;
    });
  }

  async #tell(entry: BucketEntry): Promise<void> {
    await this.#settings.onEntry(entry);
  }
}
