-- One row per flight that passed the gate of flights, with only what is known before it departs:
-- no actual times, no departure delay. The label may be NULL and label_known says so.
SELECT
  f.time_hour,
  f.carrier,
  f.flight,
  f.origin,
  f.dest,
  f.tailnum,
  f.month,
  f.day,
  f.hour,
  f.minute,
  f.sched_dep_time,
  f.sched_arr_time,
  f.distance,
  w.temp,
  w.dewp,
  w.humid,
  w.wind_dir,
  w.wind_speed,
  w.wind_gust,
  w.precip,
  w.pressure,
  w.visib,
  w.origin IS NOT NULL AS has_weather,
  f.arr_delay,
  f.arr_delay IS NOT NULL AS label_known,
  f._drop,
  f._row
FROM flights AS f
LEFT JOIN weather AS w
  ON f.origin = w.origin AND f.time_hour = w.time_hour
