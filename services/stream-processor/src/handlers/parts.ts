import type { Connection, Publisher } from "@tributary/shared/messaging/contract";
import type { CatalogView } from "@tributary/shared/runtime/catalog-client";
import type { Clock } from "@tributary/shared/runtime/clock-client";
import type { Config } from "@tributary/shared/runtime/config";
import type { Lease } from "@tributary/shared/runtime/lease";
import type { Logger } from "@tributary/shared/runtime/logger";
import type { Database } from "../adapters/database.ts";
import type { options } from "../config.ts";
import type { Counters } from "../metrics.ts";
import type { Erasures } from "./follow-erasures.ts";

/** What the handlers work with; made once by the composition root. */
export interface Parts {
  readonly instance: string;
  readonly config: Config<typeof options>;
  readonly logger: Logger;
  readonly database: Database;
  readonly consuming: Connection;
  readonly publishing: Connection;
  readonly keyed: Publisher;
  readonly rows: Publisher;
  readonly catalog: CatalogView;
  readonly clock: Clock;
  readonly erasures: Erasures;
  readonly counters: Counters;
}

/** A lease as its worker sees it. */
export interface HeldLease extends Lease {
  /** False once it may have run out: publish nothing more. */
  readonly isValid: () => boolean;
}

/** Something that works while its lease is held. */
export interface Worker {
  /** Settles when the worker has ended: undefined after `stop`, else why. */
  readonly ended: Promise<unknown>;
  /** Finishes what is in hand and commits. */
  stop(): Promise<void>;
}
