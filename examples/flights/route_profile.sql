-- One row a route: what the 28 days before the interval's end say.
select
  f.origin,
  f.destination,
  count(*)                                    as flights28d,
  avg(f.delay)                                as delayMean28d,
  quantile_cont(f.delay::double, 0.9)         as delayP90,
  any_value(f.distance order by f.reported_at desc, f.distance) as distance,
  any_value(o.state)                          as originState,
  any_value(d.state)                          as destinationState
from flights f
join airports o on o.iata = f.origin
join airports d on d.iata = f.destination
where f.date >= interval_end() - interval 28 day
  and f.reported_at < interval_end()
group by f.origin, f.destination
