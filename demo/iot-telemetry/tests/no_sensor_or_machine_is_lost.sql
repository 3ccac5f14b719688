-- Every sensor has a status and every machine a health, with readings and entries or without.
select sensors.sensor_id as missing
from {{ ref('stg_sensors') }} as sensors
left join {{ ref('mart_sensor_status') }} as status on sensors.sensor_id = status.sensor_id
where status.sensor_id is null
union all
select machines.machine_id as missing
from {{ ref('stg_machines') }} as machines
left join {{ ref('mart_equipment_health') }} as health on machines.machine_id = health.machine_id
where health.machine_id is null
