-- One row per sensor, those without readings too.
with counted as (
    select
        sensor_id,
        count(*) as readings,
        count(*) filter (where is_converted) as converted,
        count(*) filter (where not is_accepted) as rejected,
        max(recorded_at) as last_reading_at
    from {{ ref('int_readings') }}
    where recorded_at >= {{ window_start() }} and recorded_at < {{ window_end() }}
    group by sensor_id
),

found as (
    select
        sensor_id,
        count(*) as anomalies
    from {{ ref('mart_anomalies') }}
    group by sensor_id
)

select
    sensors.sensor_id,
    sensors.machine_id,
    sensors.sensor_type,
    cast(coalesce(counted.readings, 0) as integer) as readings,
    cast(coalesce(counted.converted, 0) as integer) as converted,
    cast(coalesce(counted.rejected, 0) as integer) as rejected,
    counted.last_reading_at,
    baselines.centre as usual_value,
    baselines.mad,
    cast(coalesce(found.anomalies, 0) as integer) as anomalies,
    case
        when counted.readings is null then 'silent'
        when found.anomalies > 0 then 'anomalous'
        else 'healthy'
    end as status
from {{ ref('stg_sensors') }} as sensors
left join counted on sensors.sensor_id = counted.sensor_id
left join found on sensors.sensor_id = found.sensor_id
left join {{ ref('int_sensor_baselines') }} as baselines on sensors.sensor_id = baselines.sensor_id
