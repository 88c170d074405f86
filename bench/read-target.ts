import type { RequestRow } from "@tributary/client/tributary";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import type { Work } from "./load.ts";

/** Whom a driver asks. */
export type Target =
  | { readonly kind: "nats"; readonly url: string }
  | { readonly kind: "http"; readonly url: string }
  /** Ours, asked in JSON by a program without the client. */
  | { readonly kind: "json"; readonly url: string }
  | { readonly kind: "feast"; readonly url: string }
  | { readonly kind: "floor"; readonly url: string; readonly catalog: Catalog };

export interface Reader {
  /** Work whose request n is the pool's n-th, round and round; gives how many values came. */
  prepare(service: string, pool: readonly (readonly RequestRow[])[]): Work;
  close(): Promise<void>;
}

/** What a driver is to do. */
export interface ReadJob {
  readonly service: string;
  readonly pool: readonly (readonly RequestRow[])[];
  readonly warmUpSeconds: number;
  /** Reads of the warm-up at least, however long they take: code that has run a few dozen times is not compiled yet. Default 1. */
  readonly warmUpReads?: number;
  readonly seconds: number;
  readonly load:
    | { readonly kind: "closed"; readonly workers: number }
    | { readonly kind: "open"; readonly perSecond: number };
}

export interface ReadResult {
  readonly perSecond: number;
  /** ms. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly errors: number;
  /** Answered reads, those of the warm-up included. */
  readonly answered: number;
  /** Processor time of the driver a read, ms: of the measured ones. */
  readonly cpuMs: number;
}
