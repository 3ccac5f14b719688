{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['sensor_id', 'recorded_at'],
        partition_by=['day(recorded_at)'],
        on_schema_change='fail',
    )
}}
-- One row per moment of a sensor, in the canonical unit of its type. What arrived last counts: a reading that was sent
-- again replaces the first. A later build takes only what arrived since, however long ago it was measured; messages
-- of the newest moment of arrival are taken once more, because others may have followed within it.
with arrived as (
    select *
    from {{ ref('stg_readings') }}
    {% if is_incremental() %}
        where received_at >= (
            select coalesce(max(loaded.received_at), cast('1970-01-01' as timestamp)) from {{ this }} as loaded
        )
    {% endif %}
),

versions as (
    select
        *,
        row_number() over (
            partition by sensor_id, recorded_at order by received_at desc, reading_id desc
        ) as version
    from arrived
)

select
    versions.reading_id,
    versions.sensor_id,
    versions.recorded_at,
    versions.received_at,
    versions.value as sent_value,
    versions.unit as sent_unit,
    cast(round((versions.value - units.subtract) * units.factor, 3) as decimal(12, 3)) as value,
    units.unit is not null as is_accepted,
    coalesce(units.is_converted, false) as is_converted
from versions
left join {{ ref('stg_sensors') }} as sensors on versions.sensor_id = sensors.sensor_id
left join {{ ref('stg_units') }} as units
    on sensors.sensor_type = units.sensor_type and versions.unit = units.unit
where versions.version = 1
