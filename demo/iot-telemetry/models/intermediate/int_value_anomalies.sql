-- Values that are not usual. A spike is one reading far from the middle of its own day; a drift is a run of days whose
-- middle is far from the baseline. Far is a modified z-score above 3.5. Both are needed: within a drifting day no
-- reading stands out, and a spike does not move the middle of a day.
with scored as (
    select
        readings.sensor_id,
        readings.recorded_at,
        {{ modified_z_score('(readings.value - days.centre)', 'days.mad') }} as score
    from {{ ref('int_readings') }} as readings
    inner join {{ ref('int_sensor_days') }} as days
        on readings.sensor_id = days.sensor_id and cast(readings.recorded_at as date) = days.recorded_on
    where readings.is_accepted
),

numbered as (
    select
        *,
        -- one number for days that follow one another; a day without readings parts them
        {{ dbt.datediff(window_start(), 'recorded_on', 'day') }}
        - row_number() over (partition by sensor_id, is_away order by recorded_on) as run
    from {{ ref('int_sensor_days') }}
),

drifts as (
    select
        sensor_id,
        min(first_at) as started_at,
        max(last_at) as ended_at,
        cast(sum(readings) as bigint) as readings,
        max(score) as score
    from numbered
    where is_away
    group by sensor_id, run
    having count(*) >= {{ var('drift_days') }}
)

select
    'spike' as kind,
    sensor_id,
    recorded_at as started_at,
    recorded_at as ended_at,
    1 as readings,
    score
from scored
where score > {{ var('outlier_score') }}
union all
select
    'drift' as kind,
    sensor_id,
    started_at,
    ended_at,
    readings,
    score
from drifts
