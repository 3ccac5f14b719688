-- One row per sensor, those that never sent anything too.
select
    sensor_id,
    machine_id,
    sensor_type
from {{ raw('raw_sensors') }}
