import { TributaryError } from "../contracts/errors.ts";
import type { BucketName } from "../contracts/topology.ts";
import { BucketWatch } from "./bucket-watch.ts";
import type { Bucket, BucketEntry, Connection, Headers, Publisher } from "./contract.ts";
import { callApiOn } from "./jetstream-api.ts";
import { createStreamPublisher } from "./publisher.ts";
import { readStoredMessage } from "./stream-message.ts";

/**
 * A key-value bucket that exists already. Reads ask the stream's leader (a direct get may be answered by a replica that is
 * behind); writes are publishes that carry the revision they expect, sent again with the same id until they are answered.
 * @throws TributaryError MISSING_RESOURCE naming the bucket
 */
export async function openBucket(connection: Connection, name: BucketName): Promise<Bucket> {
  await callApiOn(connection, `STREAM.INFO.KV_${name}`, `bucket ${name}`);
  return new StreamBucket(connection, name);
}

const writeMsMax = 5_000;
const relistMsDefault = 5_000;
const keysMax = 1_000_000;

class StreamBucket implements Bucket {
  readonly name: BucketName;
  readonly #connection: Connection;
  readonly #stream: string;
  readonly #prefix: string;
  #publisher: Publisher | undefined;

  constructor(connection: Connection, name: BucketName) {
    this.name = name;
    this.#connection = connection;
    this.#stream = `KV_${name}`;
    this.#prefix = `$KV.${name}.`;
  }

  async get(key: string): Promise<BucketEntry | undefined> {
    const { entry, isDeleted } = await this.#last(key);
    return isDeleted ? undefined : entry;
  }

  async create(key: string, value: Uint8Array): Promise<number> {
    try {
      return await this.update(key, value, 0);
    } catch (error) {
      if (!(error instanceof TributaryError) || error.code !== "CATALOG_CONFLICT") throw error;
      const { entry, isDeleted } = await this.#last(key);
      if (entry === undefined || !isDeleted) throw error;
      return this.update(key, value, entry.revision);
    }
  }

  update(key: string, value: Uint8Array, revision: number): Promise<number> {
    return this.#write(key, value, { "Nats-Expected-Last-Subject-Sequence": String(revision) });
  }

  put(key: string, value: Uint8Array): Promise<number> {
    return this.#write(key, value, {});
  }

  /** The subject list comes in pages. */
  async keys(): Promise<string[]> {
    const keys: string[] = [];
    while (keys.length < keysMax) {
      const body = { subjects_filter: `${this.#prefix}>`, offset: keys.length };
      const info = await this.#info(body);
      const page = Object.keys(info.state.subjects ?? {});
      keys.push(...page.map((subject) => subject.slice(this.#prefix.length)));
      if (page.length === 0 || keys.length >= (info.total ?? 0)) break;
    }
    return keys.sort();
  }

  async watch(key: string, onEntry: (entry: BucketEntry) => unknown, options: { readonly relistMs?: number } = {}) {
    const watch = new BucketWatch(this.#connection, {
      stream: this.#stream,
      subject: this.#subject(key),
      relistMs: options.relistMs ?? relistMsDefault,
      read: () => this.get(key),
      onEntry,
    });
    await watch.start();
    return watch;
  }

  #info(body: unknown) {
    interface SubjectInfo {
      readonly total?: number;
      readonly state: { readonly subjects?: Readonly<Record<string, number>> };
    }
    return callApiOn<SubjectInfo>(this.#connection, `STREAM.INFO.${this.#stream}`, `bucket ${this.name}`, body);
  }

  async #last(key: string): Promise<{ readonly entry: BucketEntry | undefined; readonly isDeleted: boolean }> {
    const message = await readStoredMessage(this.#connection, this.#stream, { last_by_subj: this.#subject(key) });
    if (message === undefined) return { entry: undefined, isDeleted: false };
    const { data, sequence, timestampMs, headers } = message;
    return { entry: { key, value: data, revision: sequence, timestampMs }, isDeleted: "KV-Operation" in headers };
  }

  async #write(key: string, data: Uint8Array, headers: Headers): Promise<number> {
    this.#publisher ??= createStreamPublisher(this.#connection, { stream: this.#stream, deadlineMs: writeMsMax });
    try {
      return (await this.#publisher.publish({ subject: this.#subject(key), data, headers })).sequence;
    } catch (error) {
      if (!(error instanceof TributaryError) || error.code !== "CATALOG_CONFLICT") throw error;
      const revision = headers["Nats-Expected-Last-Subject-Sequence"];
      throw new TributaryError(
        "CATALOG_CONFLICT",
        `bucket ${this.name}: "${key}" is no longer at revision ${revision}`,
      );
    }
  }

  #subject(key: string): string {
    if (/^[-/_=.a-zA-Z0-9]+$/.test(key) && !/^\.|\.$|\.\./.test(key)) return this.#prefix + key;
    throw new TributaryError("BAD_KEY", `bucket ${this.name}: a key is letters, digits and -/_=. without empty parts`);
  }
}
