/** What a campaign gets. */
export interface CampaignContext {
  readonly seed: number;
  /** How many runs, or kills. */
  readonly count: number;
  /** Of a counterexample that was found before: only that is run. */
  readonly path: string | undefined;
  /** A line of the result: fields for programs. Says as a table, or with `--json` as one line each. */
  readonly tell: (line: ResultLine) => void;
  /** Hears how many runs or kills are done. */
  readonly progress: (done: number) => void;
  /** Aborted when somebody interrupts: what was found so far is told, and nothing is left running. */
  readonly signal: AbortSignal;
}

export type ResultLine = Readonly<Record<string, string | number | boolean>>;

/** Why a campaign failed, and how to see it again. */
export interface Failure {
  readonly why: string;
  /** Arguments behind the campaign's name. */
  readonly repeat: string;
}

export interface Campaign {
  readonly name: string;
  readonly does: string;
  /** What is counted, and the option that says how many. */
  readonly unit: "runs" | "kills";
  readonly countDefault: number;
  /** Whether `--path` of a counterexample means something to it. */
  readonly takesPath?: true;
  /** Undefined when all went well, or as far as it got before the signal. */
  readonly load: () => Promise<{ run: (context: CampaignContext) => Promise<Failure | undefined> }>;
}

export const campaigns: readonly Campaign[] = [
  {
    name: "merge",
    does: "random histories through the store's merge and record bytes, writers interleaved at every command, against a naive oracle",
    unit: "runs",
    countDefault: 10_000,
    takesPath: true,
    load: () => import("./merge/campaign.ts"),
  },
  {
    name: "store-kills",
    does: "two stores under load on real servers, one of them killed with SIGKILL at a failpoint each time",
    unit: "kills",
    countDefault: 50,
    load: () => import("./store-kills/campaign.ts"),
  },
  {
    name: "properties",
    does: "the properties that the tests beside the sources state, from other seeds than the suite's",
    unit: "runs",
    countDefault: 20,
    load: () => import("./properties/campaign.ts"),
  },
];
