/** The last line of `npm start -- --once --json`. Times in seconds unless the name says otherwise. */
export interface OnceSummary {
  readonly ok: boolean;
  readonly servers: Readonly<Record<string, string | undefined>>;
  readonly batch: {
    readonly view: string;
    readonly rows: number;
    readonly published: number;
    readonly unchanged: number;
    /** Rows that a rerun on unchanged input published, both views together. */
    readonly secondRunPublished: number;
    readonly hourly: readonly {
      readonly view: string;
      readonly rows: number;
      readonly published: number;
      readonly unchanged: number;
    }[];
  };
  readonly stream: {
    readonly events: number;
    /** As the stream-processor counted since its last start: refused, and outside every window when they came. */
    readonly rejected: number;
    readonly late: number;
    readonly windowsChecked: number;
    readonly windowMismatches: number;
  };
  readonly direct: { readonly writes: number; readonly scoresChecked: number; readonly scoreMismatches: number };
  readonly read: { readonly service: string; readonly key: object; readonly features: object };
  readonly killed: readonly string[];
  /** From the SIGKILL until the successor was ready, real ms. */
  readonly downMs: Readonly<Record<string, number>>;
  readonly reads: number;
  /** Reads that failed while the online-store itself was down, and those that failed otherwise. */
  readonly readsFailedDuringKill: number;
  readonly readsFailedOtherwise: number;
  readonly seconds: { readonly toFirstRead: number; readonly total: number };
}
