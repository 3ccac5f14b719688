-- One row per message, as the sensor sent it; a reading that was sent again is still here twice.
select
    reading_id,
    sensor_id,
    recorded_at,
    received_at,
    value,
    trim(unit) as unit
from {{ raw('raw_readings') }}
