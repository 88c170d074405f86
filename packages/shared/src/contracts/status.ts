import type { Lane } from "./catalog.ts";
import type { ViewFreshness } from "./freshness.ts";

/** Replies of the services' status endpoints (`stream.status`, `store.status`, `batch.status`): JSON. Counters since start. */
export interface RoutePosition {
  readonly source: string;
  readonly shard: number;
  readonly incarnation: number;
  /** Greatest sequence of TRIB_EVENTS routed, acknowledged and committed. */
  readonly sequence: number;
  readonly fence: number;
}

export interface PartitionPosition {
  readonly partition: number;
  readonly fence: number;
  readonly incarnation: number;
  /** Greatest sequence of TRIB_KEYED applied to state in memory. */
  readonly applied: number;
  readonly committed: number;
  /** Keys that have changed or are due at `evaluatedAtMs` and whose rows are not acknowledged yet. */
  readonly unpublished: number;
  /** The clock's instant up to which rows have been evaluated and acknowledged; reads are exact up to here. */
  readonly evaluatedAtMs: number;
  /** Why the partition reads no further (an item that cannot be read); absent while it works. */
  readonly stopped?: string;
}

export interface StreamStatus {
  readonly instance: string;
  readonly catalogVersion: number;
  readonly nowMs: number;
  readonly routes: readonly RoutePosition[];
  readonly partitions: readonly PartitionPosition[];
  readonly counters: {
    readonly eventsRouted: number;
    readonly eventsRejected: number;
    readonly eventsApplied: number;
    /** Events that count no second time: read again after a takeover, or known by their id. */
    readonly eventsDuplicate: number;
    /** Events that were outside every window when they arrived. */
    readonly eventsLate: number;
    /** Events of an erased key that its erasure covers. Absent in older builds. */
    readonly eventsErased?: number;
    readonly rowsPublished: number;
    /** Evaluations that found nothing changed. */
    readonly rowsUnchanged: number;
  };
}

export interface LaneFloor {
  readonly lane: Lane;
  /** Creation time of the lane's stream, epoch ms. */
  readonly incarnation: number;
  /** Everything up to here is applied (this epoch). */
  readonly floor: number;
  readonly lastSequence: number;
  readonly counters: {
    readonly chunks: number;
    readonly rows: number;
    readonly confirmations: number;
    readonly rejected: number;
    /** Publish to applied, real ms, of the newest chunk. */
    readonly lagMs: number;
  };
  /** This instance reads again what Redis has lost; absent otherwise. */
  readonly replay?: ReplayStatus;
  /** Partitions that lack what the stream holds no longer: they need a republish. Absent when there are none. */
  readonly gaps?: readonly number[];
  /** The same by view. Absent in older builds. */
  readonly gapViews?: Readonly<Record<string, readonly number[]>>;
  /** View → partitions that lack a message of it which was set aside and not sent again. Absent when there are none. */
  readonly heldViews?: Readonly<Record<string, readonly number[]>>;
  /** This instance cannot write: what comes stays in the stream. Absent while it can. */
  readonly waiting?: WaitStatus;
}

export interface WaitStatus {
  /** Real epoch ms. */
  readonly sinceMs: number;
  readonly why: string;
}

export interface ReplayStatus {
  /** Stream sequences: read again so far, and up to where. */
  readonly position: number;
  readonly until: number;
  readonly messages: number;
  readonly messagesPerSecond: number;
}

/** Redis as the store finds it. */
export interface RedisFacts {
  readonly version: string;
  /** Only `noeviction` will do. */
  readonly maxmemoryPolicy: string;
  /** Bytes; 0 = no limit of its own. */
  readonly maxmemoryBytes: number;
  readonly usedBytes: number;
  /** Every write is appended to a file. */
  readonly appendOnly: boolean;
  /** What was last written of it, or of a snapshot, is on disk. */
  readonly isDiskFine: boolean;
  /** The masters of a cluster; the facts beside are then the worst of theirs. Absent for a single server. */
  readonly servers?: readonly RedisServerFacts[];
}

export interface RedisServerFacts {
  /** `host:port`. */
  readonly address: string;
  /** null: it does not answer. */
  readonly facts: RedisFacts | null;
}

/** Records that an instance keeps in memory. All but the first four count since its start; all but `flushes` in records. */
export interface ReadCacheStatus {
  /** It is coherent at this moment, and used. */
  readonly isOn: boolean;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly records: number;
  readonly hits: number;
  readonly misses: number;
  /** Fetched without a look: for reads with a token, or while it was off. */
  readonly bypasses: number;
  /** Held or being fetched when they changed. */
  readonly invalidations: number;
  readonly flushes: number;
  /** Not kept, because they had perhaps changed again before they came. */
  readonly droppedFills: number;
  readonly evictions: number;
}

export interface StoreStatus {
  readonly instance: string;
  readonly epoch: string;
  readonly catalogVersion: number;
  readonly nowMs: number;
  readonly lanes: readonly LaneFloor[];
  /** null: it does not answer. Absent in older builds. */
  readonly redis?: RedisFacts | null;
  /** Of this instance since its start, by view. Absent in older builds. */
  readonly freshness?: readonly ViewFreshness[];
  /** Of this instance; absent where it has none. */
  readonly readCache?: ReadCacheStatus;
  readonly counters: { readonly reads: number; readonly readErrors: number; readonly mergeConflicts: number };
}

export interface BatchRunCounts {
  readonly rows: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /** Within tolerance: changed, but not published. */
  readonly suppressed: number;
  readonly published: number;
  /** Rows set aside because a key or value is not what was declared; their cells stay as published. */
  readonly withheld?: number;
  /** Rows kept out because their key is erased (see erasure.ts). */
  readonly erased?: number;
}

export type BatchPhase = "computing" | "publishing" | "published" | "failed";

/** The reply of `batch.run` (request: `{ view, intervalEndMs? }`): follow the run in `batch.status` by its request id. */
export interface BatchRunReply {
  readonly accepted: true;
  readonly request: string;
  readonly view: string;
  readonly intervalEndMs: number;
}

export interface BatchRunStatus {
  readonly view: string;
  /** Not a run: what is published is sent again, under `request`. Its `run` and `intervalEndMs` are 0. */
  readonly kind?: "republish";
  /** Of a republish: nothing was ever published of the view's version of today. */
  readonly isUnpublished?: true;
  /** The id that `batch.run` answered with, for runs that somebody asked for. */
  readonly request?: string;
  /** Ledger number; 0 while the run waits for its turn or if it failed before it had one. */
  readonly run: number;
  readonly phase: BatchPhase;
  readonly intervalEndMs: number;
  readonly counts: BatchRunCounts;
  /** `total` 0 = nobody knows. */
  readonly progress?: { readonly step: string; readonly done: number; readonly total: number };
  readonly error?: { readonly code: string; readonly message: string };
  readonly startedAtMs: number;
  readonly finishedAtMs?: number;
}

export interface BatchStatus {
  readonly instance: string;
  readonly catalogVersion: number;
  readonly runs: readonly BatchRunStatus[];
}
