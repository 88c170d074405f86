-- One row a track: what was rated before the interval's end.
select
  track,
  count(*)   as ratings,
  avg(stars) as starsMean
from ratings
where rated_at < interval_end()
group by track
