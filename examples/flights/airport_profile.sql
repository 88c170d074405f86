-- One row an airport: its departures in the 28 days before the interval's end, and where it is.
select
  f.origin                as code,
  any_value(a.name)       as name,
  any_value(a.state)      as state,
  any_value(a.latitude)   as latitude,
  any_value(a.longitude)  as longitude,
  count(*)                as departures28d,
  avg(f.delay)            as delayMean28d
from flights f
join airports a on a.iata = f.origin
where f.date >= interval_end() - interval 28 day
  and f.reported_at < interval_end()
group by f.origin
