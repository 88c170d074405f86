-- Erased entity keys of each partition, and up to which event time (epoch ms on the clock): what is of it or before counts no
-- more, however late it comes. Part of the partition's state: committed with its position.
create table stream_erasures (
  partition int not null,
  entity text not null,
  key text not null,
  event_time bigint not null,
  primary key (partition, entity, key)
);
