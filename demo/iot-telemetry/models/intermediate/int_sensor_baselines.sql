-- What is usual for a sensor: the median of the baseline days and the median absolute deviation (MAD) from it. A few
-- outliers move neither, which mean and standard deviation would not survive. A sensor that hardly moves gets the
-- resolution of its values, 0.001, as its MAD.
with baseline as (
    select
        sensor_id,
        value
    from {{ ref('int_readings') }}
    where is_accepted and recorded_at >= {{ window_start() }} and recorded_at < {{ baseline_end() }}
),

centres as (
    select
        sensor_id,
        {{ middle('value') }} as centre
    from baseline
    group by sensor_id
)

select
    centres.sensor_id,
    centres.centre,
    count(*) as readings,
    cast(greatest({{ middle('abs(baseline.value - centres.centre)') }}, 0.001) as decimal(12, 3)) as mad
from baseline
inner join centres on baseline.sensor_id = centres.sensor_id
group by centres.sensor_id, centres.centre
