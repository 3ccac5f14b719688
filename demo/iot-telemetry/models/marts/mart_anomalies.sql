-- Every anomaly, with the machine it happened on.
with anomalies as (
    select
        kind,
        sensor_id,
        started_at,
        ended_at,
        readings,
        score
    from {{ ref('int_value_anomalies') }}
    union all
    select
        kind,
        sensor_id,
        started_at,
        ended_at,
        readings,
        cast(null as decimal(18, 2)) as score
    from {{ ref('int_signal_anomalies') }}
)

select
    concat(anomalies.kind, ' ', cast(anomalies.started_at as {{ dbt.type_string() }}), ' ', anomalies.sensor_id)
        as anomaly_id,
    anomalies.kind,
    anomalies.sensor_id,
    sensors.machine_id,
    machines.line,
    sensors.sensor_type,
    anomalies.started_at,
    anomalies.ended_at,
    cast(anomalies.readings as integer) as readings,
    cast(anomalies.score as decimal(12, 2)) as score
from anomalies
inner join {{ ref('stg_sensors') }} as sensors on anomalies.sensor_id = sensors.sensor_id
inner join {{ ref('stg_machines') }} as machines on sensors.machine_id = machines.machine_id
