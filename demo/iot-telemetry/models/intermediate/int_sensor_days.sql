-- A sensor's day: its middle value, and how far this is from what is usual.
with days as (
    select
        sensor_id,
        cast(recorded_at as date) as recorded_on,
        min(recorded_at) as first_at,
        max(recorded_at) as last_at,
        count(*) as readings,
        {{ middle('value') }} as centre
    from {{ ref('int_readings') }}
    where is_accepted and recorded_at >= {{ window_start() }} and recorded_at < {{ window_end() }}
    group by sensor_id, cast(recorded_at as date)
),

scored as (
    select
        days.*,
        baselines.mad,
        {{ modified_z_score('(days.centre - baselines.centre)', 'baselines.mad') }} as score
    from days
    inner join {{ ref('int_sensor_baselines') }} as baselines on days.sensor_id = baselines.sensor_id
)

select
    *,
    score > {{ var('outlier_score') }} as is_away
from scored
