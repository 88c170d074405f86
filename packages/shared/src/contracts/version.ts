/**
 * A cell's version: (event time, stamp). The stamp is a lane's own order among equal event times: a pair of
 * (incarnation of the stream or ledger, sequence in it) and a minor part (row index, instant of evaluation).
 * It is a total order, so the merge needs no clock and no arrival order.
 */
export interface Stamp {
  /** Creation time of the stream the sequence belongs to, epoch ms; 0 for the batch lane's ledger. */
  readonly incarnation: number;
  /** Batch: run number. Stream: sequence in TRIB_KEYED. Direct: sequence in TRIB_ROWS_DIRECT. */
  readonly sequence: number;
  /** Batch: 0. Stream: instant of evaluation, epoch ms. Direct: row index in the chunk. */
  readonly minor: number;
}

export interface Version extends Stamp {
  /** Epoch ms. */
  readonly eventTime: number;
}

/** Negative when `a` is older than `b`, 0 when equal, positive when newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.eventTime - b.eventTime || a.incarnation - b.incarnation || a.sequence - b.sequence || a.minor - b.minor;
}
