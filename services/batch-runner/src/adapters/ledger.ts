import { TributaryError } from "@tributary/shared/contracts/errors";
import type { BatchPhase, BatchRunCounts, BatchRunStatus } from "@tributary/shared/contracts/status";
import { assertFence, type Lease, type SqlQuery } from "@tributary/shared/runtime/lease";
import type { RunManifest } from "../core/run-manifest.ts";
import type { Database } from "./database.ts";

/**
 * The ledger of runs and what each view has published. Every write is under the view's fence, so a runner that was
 * overtaken while it computed changes nothing. Run numbers are drawn under the fence too: a later owner's is greater.
 */
export interface Published {
  readonly run: number;
  readonly viewVersion: number;
  readonly intervalEndMs: number;
  readonly confirmed: readonly number[];
}

export interface StagedRun {
  readonly run: number;
  readonly counts: BatchRunCounts;
}

export interface NewRun {
  readonly view: string;
  readonly viewVersion: number;
  readonly catalogVersion: number;
  readonly intervalEndMs: number;
  readonly instance: string;
  readonly request: string | undefined;
}

export interface Ledger {
  published(view: string): Promise<Published | undefined>;
  staged(view: string): Promise<StagedRun | undefined>;
  stagedViews(): Promise<readonly string[]>;
  /** A new run's number and the snapshot it has to compare with. Runs of the view that stopped before staging are closed. */
  begin(lease: Lease, run: NewRun): Promise<{ readonly run: number; readonly published: Published | undefined }>;
  /** B1. @throws TributaryError RUN_CONFLICT when another run was staged or published since `comparedRun`, FENCED */
  stage(lease: Lease, manifest: RunManifest, comparedRun: number | undefined, counts: BatchRunCounts): Promise<void>;
  /** Publishes a staged run: pointer and phase in one transaction. @throws TributaryError RUN_CONFLICT, FENCED */
  commit(lease: Lease, manifest: RunManifest): Promise<void>;
  /** Ends a run that published nothing. */
  finish(lease: Lease, run: number, counts: BatchRunCounts): Promise<void>;
  /** Ends a run that failed before it was staged. */
  fail(run: number, error: TributaryError): Promise<void>;
  /** The newest runs, newest first. */
  recent(view: string | undefined, max: number): Promise<readonly BatchRunStatus[]>;
}

export function openLedger(database: Database): Ledger {
  return {
    published: (view) => publishedOf(database.query, view),
    staged: (view) => stagedOf(database.query, view),
    stagedViews: async () => {
      const { rows } = await database.query("select view from batch_runs where phase = 'publishing' order by run", []);
      return rows.map((row) => String(row.view));
    },
    begin: (lease, run) => database.transaction((query) => begin(query, lease, run)),
    stage: (lease, manifest, comparedRun, counts) =>
      database.transaction((query) => stage(query, lease, { manifest, comparedRun, counts })),
    commit: (lease, manifest) => database.transaction((query) => commit(query, lease, manifest)),
    finish: (lease, run, counts) =>
      database.transaction(async (query) => {
        await assertFence(query, lease);
        await movePhase(query, run, { from: "computing", to: "published", counts });
      }),
    fail: async (run, error) => {
      await database.query(
        `update batch_runs set phase = 'failed', error_code = $2, error_message = $3, finished_at = now()
         where run = $1 and phase = 'computing'`,
        [run, error.code, error.message],
      );
    },
    recent: (view, max) => recent(database.query, view, max),
  };
}

async function publishedOf(query: SqlQuery, view: string): Promise<Published | undefined> {
  const { rows } = await query(
    "select run, view_version, interval_end_ms, confirmed from batch_published where view = $1",
    [view],
  );
  const row = rows[0];
  return (
    row && {
      run: Number(row.run),
      viewVersion: Number(row.view_version),
      intervalEndMs: Number(row.interval_end_ms),
      confirmed: row.confirmed as number[],
    }
  );
}

async function stagedOf(query: SqlQuery, view: string): Promise<StagedRun | undefined> {
  const { rows } = await query("select run, counts from batch_runs where view = $1 and phase = 'publishing'", [view]);
  return rows[0] && { run: Number(rows[0].run), counts: rows[0].counts as BatchRunCounts };
}

async function begin(query: SqlQuery, lease: Lease, run: NewRun) {
  await assertFence(query, lease);
  await query(
    `update batch_runs set phase = 'failed', error_code = 'UNAVAILABLE', finished_at = now(),
       error_message = 'the runner stopped before the run was staged'
     where view = $1 and phase = 'computing'`,
    [run.view],
  );
  const { rows } = await query(
    `insert into batch_runs (view, view_version, catalog_version, interval_end_ms, phase, fence, instance, request)
     values ($1, $2, $3, $4, 'computing', $5, $6, $7) returning run`,
    [run.view, run.viewVersion, run.catalogVersion, run.intervalEndMs, lease.fence, run.instance, run.request ?? null],
  );
  return { run: Number(rows[0]?.run), published: await publishedOf(query, run.view) };
}

interface Staging {
  readonly manifest: RunManifest;
  readonly comparedRun: number | undefined;
  readonly counts: BatchRunCounts;
}

async function stage(query: SqlQuery, lease: Lease, { manifest, comparedRun, counts }: Staging): Promise<void> {
  await assertFence(query, lease);
  const published = await publishedOf(query, manifest.view);
  const staged = await stagedOf(query, manifest.view);
  if (staged !== undefined || published?.run !== comparedRun) {
    throw new TributaryError(
      "RUN_CONFLICT",
      `run ${manifest.run} of view "${manifest.view}" was compared with run ${comparedRun ?? "none"}, but ${
        staged ? `run ${staged.run} is staged` : `run ${published?.run ?? "none"} is the published one`
      } now`,
    );
  }
  await movePhase(query, manifest.run, { from: "computing", to: "publishing", counts });
  await query("update batch_runs set compared_run = $2, staged_at = now() where run = $1", [
    manifest.run,
    comparedRun ?? null,
  ]);
}

async function commit(query: SqlQuery, lease: Lease, manifest: RunManifest): Promise<void> {
  await assertFence(query, lease);
  await movePhase(query, manifest.run, { from: "publishing", to: "published" });
  await query(
    `insert into batch_published (view, view_version, run, interval_end_ms, confirmed) values ($1, $2, $3, $4, $5)
     on conflict (view) do update set view_version = $2, run = $3, interval_end_ms = $4, confirmed = $5, committed_at = now()`,
    [manifest.view, manifest.viewVersion, manifest.run, manifest.intervalEndMs, manifest.confirmed],
  );
}

interface PhaseMove {
  readonly from: BatchPhase;
  readonly to: BatchPhase;
  readonly counts?: BatchRunCounts;
}

async function movePhase(query: SqlQuery, run: number, { from, to, counts }: PhaseMove): Promise<void> {
  const { rows } = await query(
    `update batch_runs set phase = $3, counts = coalesce($4, counts),
       finished_at = case when $3 = 'published' then now() else finished_at end
     where run = $1 and phase = $2 returning run`,
    [run, from, to, counts === undefined ? null : JSON.stringify(counts)],
  );
  if (rows.length === 0) throw new TributaryError("RUN_CONFLICT", `run ${run} is no longer ${from}`);
}

const noCounts = { rows: 0, inserted: 0, updated: 0, deleted: 0, unchanged: 0, suppressed: 0, published: 0 };

async function recent(query: SqlQuery, view: string | undefined, max: number): Promise<readonly BatchRunStatus[]> {
  const { rows } = await query(
    `select *, extract(epoch from started_at) * 1000 as started_ms, extract(epoch from finished_at) * 1000 as finished_ms
     from batch_runs where $1::text is null or view = $1 order by run desc limit $2`,
    [view ?? null, max],
  );
  return rows.map(statusOf);
}

function statusOf(row: Readonly<Record<string, unknown>>): BatchRunStatus {
  return {
    view: String(row.view),
    ...(row.request !== null && { request: String(row.request) }),
    run: Number(row.run),
    phase: row.phase as BatchPhase,
    intervalEndMs: Number(row.interval_end_ms),
    counts: (row.counts as BatchRunCounts | null) ?? noCounts,
    ...(row.error_code !== null && {
      error: { code: String(row.error_code), message: String(row.error_message) },
    }),
    startedAtMs: Math.round(Number(row.started_ms)),
    ...(row.finished_ms !== null && { finishedAtMs: Math.round(Number(row.finished_ms)) }),
  };
}
