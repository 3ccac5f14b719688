-- Signals that cannot be trusted, whatever their value: stuck (one value again and again), dropout (a long silence, to
-- the end of the window too), wrong_unit (a unit of another kind; the reading is rejected), no_data (nothing at all).
with readings as (
    select *
    from {{ ref('int_readings') }}
    where recorded_at >= {{ window_start() }} and recorded_at < {{ window_end() }}
),

changes as (
    select
        sensor_id,
        recorded_at,
        case
            when lag(value) over (partition by sensor_id order by recorded_at) is distinct from value then 1
            else 0
        end as is_change
    from readings
    where is_accepted
),

runs as (
    select
        sensor_id,
        recorded_at,
        sum(is_change) over (
            partition by sensor_id order by recorded_at rows between unbounded preceding and current row
        ) as run
    from changes
),

gaps as (
    select
        sensor_id,
        recorded_at,
        coalesce(lead(recorded_at) over (partition by sensor_id order by recorded_at), {{ window_end() }}) as next_at
    from readings
)

select
    'stuck' as kind,
    sensor_id,
    min(recorded_at) as started_at,
    max(recorded_at) as ended_at,
    count(*) as readings
from runs
group by sensor_id, run
having count(*) >= {{ var('stuck_readings') }}
union all
select
    'dropout' as kind,
    sensor_id,
    recorded_at as started_at,
    next_at as ended_at,
    0 as readings
from gaps
where {{ dbt.datediff('recorded_at', 'next_at', 'minute') }} > 60 * {{ var('dropout_hours') }}
union all
select
    'wrong_unit' as kind,
    sensor_id,
    recorded_at as started_at,
    recorded_at as ended_at,
    1 as readings
from readings
where not is_accepted
union all
select
    'no_data' as kind,
    sensors.sensor_id,
    {{ window_start() }} as started_at,
    {{ window_end() }} as ended_at,
    0 as readings
from {{ ref('stg_sensors') }} as sensors
left join readings on sensors.sensor_id = readings.sensor_id
where readings.sensor_id is null
