-- A reading that was sent again neither counts twice nor takes another with it, whatever builds came before.
select
    sent.sensor_id,
    sent.recorded_at,
    count(kept.reading_id) as kept
from (select distinct sensor_id, recorded_at from {{ ref('stg_readings') }}) as sent
left join {{ ref('int_readings') }} as kept
    on sent.sensor_id = kept.sensor_id and sent.recorded_at = kept.recorded_at
group by sent.sensor_id, sent.recorded_at
having count(kept.reading_id) <> 1
