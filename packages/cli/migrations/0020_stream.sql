-- Stream lane. Positions are sequences of a stream in one incarnation (its creation time, epoch ms); instants are epoch ms
-- on the clock. Every write is made in a transaction that holds the lease's row, so an old owner changes nothing.
create table stream_routes (
  source text not null,
  shard int not null,
  shards int not null,
  incarnation bigint not null,
  sequence bigint not null,
  primary key (source, shard)
);

create table stream_partitions (
  partition int primary key,
  incarnation bigint not null,
  position bigint not null,
  catalog_version bigint not null,
  origins jsonb not null,
  marks jsonb not null,
  watermarks jsonb not null
);

-- told_until is null while the key's newest row is not acknowledged: a takeover publishes these first.
create table stream_keys (
  partition int not null,
  view text not null,
  view_version int not null,
  key text not null,
  state bytea not null,
  told_until bigint,
  primary key (partition, view, view_version, key)
);
