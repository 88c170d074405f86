import type { Lane } from "@tributary/shared/contracts/catalog";
import type { ReadReply } from "@tributary/shared/contracts/read";
import type { WriteReply, WriteToken } from "@tributary/shared/contracts/write";
import type { KeyMap, KeysOf } from "@tributary/shared/definitions/entity";
import type { FeatureServiceDefinition } from "@tributary/shared/definitions/feature-service";
import type { WrittenValueOf } from "@tributary/shared/definitions/feature-type";
import type { EventSourceDefinition, FieldMap } from "@tributary/shared/definitions/source";
import type { ViewDefinition } from "@tributary/shared/definitions/view-definition";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import type { InputOf } from "./input-value.ts";
import type { Detail, DetailRow } from "./read-rows.ts";

/** What an application does with Tributary. Definitions give the types; names alone work too, without them. */
export interface Tributary {
  /**
   * The features of a feature service, one object a key, in the order of the keys.
   * @throws TributaryError UNKNOWN_SERVICE, MISSING_KEY, BAD_KEY, TOKEN_TIMEOUT, UNAVAILABLE, DEADLINE and others of the table
   */
  read<Row, Keys>(
    service: FeatureServiceDefinition<Row, Keys>,
    keys: readonly Keys[],
    options: ReadOptions & { readonly detail: true },
  ): Promise<DetailRow<Row>[]>;
  read<Row, Keys>(
    service: FeatureServiceDefinition<Row, Keys>,
    keys: readonly Keys[],
    options?: ReadOptions & { readonly detail?: false },
  ): Promise<Row[]>;
  /** By name: values as they travel (timestamps are epoch ms). */
  read(
    service: string,
    keys: readonly RequestRow[],
    options: ReadOptions & { readonly detail: true },
  ): Promise<Record<string, Detail>[]>;
  read(
    service: string,
    keys: readonly RequestRow[],
    options?: ReadOptions & { readonly detail?: false },
  ): Promise<Record<string, unknown>[]>;

  /** The columnar reply as it came: epoch, catalog version, and with `detail` status, age and freshness of each value. */
  readReply(
    service: FeatureServiceDefinition | string,
    keys: readonly RequestRow[],
    options?: ReadOptions,
  ): Promise<ReadReply>;

  /**
   * Writes rows of a direct view: one outcome a row, in order, with a token for each accepted one.
   * @throws TributaryError for what concerns the whole request: UNKNOWN_VIEW, WRONG_LANE, LIMIT_EXCEEDED, STREAM_FULL,
   *   OVERLOADED, UNKNOWN_OUTCOME, UNAVAILABLE
   */
  write<K extends KeyMap, Row, Written>(
    view: ViewDefinition<K, Row, Lane, Written>,
    rows: readonly TypedWriteRow<K, Written>[],
    options?: WriteOptions,
  ): Promise<WriteReply>;
  write(view: string, rows: readonly WriteRow[], options?: WriteOptions): Promise<WriteReply>;

  /**
   * Publishes events of a source; resolves when all are stored. Many calls at a time share messages.
   * @throws TributaryError LIMIT_EXCEEDED, OVERLOADED, STREAM_FULL, UNKNOWN_OUTCOME, UNAVAILABLE
   */
  publish<F extends FieldMap>(
    source: EventSourceDefinition<F>,
    events: TypedEvent<F> | readonly TypedEvent<F>[],
    options?: PublishOptions,
  ): Promise<PublishAck>;
  publish(source: string, events: object | readonly object[], options?: PublishOptions): Promise<PublishAck>;

  /** Stores what `publish` still holds, then disconnects. */
  close(): Promise<void>;
}

export type RequestKeys = Readonly<Record<string, string | number | bigint>>;
/** Request keys, and the request fields of a feature service that has any. */
export type RequestRow = Readonly<Record<string, string | number | bigint | boolean | Date | null | undefined>>;

export interface ReadOptions {
  /** Adds status, event time, age, lane and fresh to each value. */
  readonly detail?: boolean;
  /** A subset of the features. */
  readonly features?: readonly string[];
  /** Wait until these writes are readable. */
  readonly after?: readonly WriteToken[];
  /** How long `after` may wait, ms. Default 1,000. */
  readonly waitMs?: number;
  /** For the whole read, besides `waitMs`. Default 2,000 ms. */
  readonly timeoutMs?: number;
}

interface WriteRowOptions<Name extends string> {
  /** Features whose values are withdrawn. */
  readonly withdraw?: readonly Name[];
  /** When the values came to be; absent = when the broker accepts them. */
  readonly eventTime?: Date | number | string;
}

export interface TypedWriteRow<K extends KeyMap, Written> extends WriteRowOptions<keyof Written & string> {
  readonly key: KeysOf<K>;
  /** Some or all of the view's features. */
  readonly features?: { readonly [N in keyof Written]?: InputOf<Written[N]> };
}

export interface WriteRow extends WriteRowOptions<string> {
  readonly key: RequestKeys;
  /** Some or all of the view's features, by name. */
  readonly features?: object;
}

export interface WriteOptions {
  /** A retry with the same key and rows gets the first outcome, for a day. */
  readonly idempotencyKey?: string;
  /** Default 5,000 ms. */
  readonly timeoutMs?: number;
}

export type TypedEvent<F extends FieldMap> = { readonly [N in keyof F]?: InputOf<WrittenValueOf<F[N]>> | null };

export interface PublishOptions {
  /** Of one message with exactly these events: published again within two minutes, it is stored once. */
  readonly id?: string;
}
