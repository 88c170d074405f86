-- What a version changed (the plan's changes), which version it was planned against (0: none), and since when it counts.
-- Without current_since it never became current: its apply lost a race, or ended before it swapped the pointer in KV.
alter table catalog_versions
  add column diff jsonb,
  add column follows bigint,
  add column current_since timestamptz;

-- Nobody noted it until now: all count as having been current.
update catalog_versions set current_since = applied_at;
