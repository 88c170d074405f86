create table catalog_versions (
  version bigint primary key,
  fingerprint text not null,
  body jsonb not null,
  author text not null,
  message text not null default '',
  applied_at timestamptz not null default now()
);

create table leases (
  name text primary key,
  owner text not null,
  fence bigint not null,
  until timestamptz not null
);
