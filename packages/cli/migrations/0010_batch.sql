-- The batch lane's ledger. A run's number orders its versions (V2), so it only grows with the view's fence.
create table batch_runs (
  run bigint generated always as identity primary key,
  view text not null,
  view_version integer not null,
  catalog_version bigint not null,
  interval_end_ms bigint not null,
  phase text not null check (phase in ('computing', 'publishing', 'published', 'failed')),
  -- The run whose snapshot this one was compared with; null: nothing was published yet.
  compared_run bigint,
  counts jsonb,
  error_code text,
  error_message text,
  fence bigint not null,
  instance text not null,
  request text,
  started_at timestamptz not null default now(),
  staged_at timestamptz,
  finished_at timestamptz
);

create index batch_runs_by_view on batch_runs (view, run desc);
create index batch_runs_by_request on batch_runs (request) where request is not null;

-- B1: nothing else of the view is staged.
create unique index batch_runs_staged on batch_runs (view) where phase = 'publishing';

-- What each view has published: the run whose snapshot holds every cell with its version. One row a view, not one a
-- version: keys that a new version no longer has must still become tombstones.
create table batch_published (
  view text primary key,
  view_version integer not null,
  run bigint not null references batch_runs (run),
  interval_end_ms bigint not null,
  -- Partitions confirmed up to the interval's end.
  confirmed integer[] not null,
  committed_at timestamptz not null default now()
);
