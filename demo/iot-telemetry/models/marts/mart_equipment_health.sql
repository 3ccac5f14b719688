-- One row per machine. Health starts at 100 and loses points for anomalies (the variable `penalties`, a kind), for an
-- overdue service, and one for each whole hour of breakdowns that began within the last 30 days, at most 20.
with sensors as (
    select
        machine_id,
        count(*) as sensors,
        count(*) filter (where status = 'silent') as silent_sensors
    from {{ ref('mart_sensor_status') }}
    group by machine_id
),

anomalies as (
    select
        machine_id,
        {% for kind in var('penalties') %}
            count(*) filter (where kind = '{{ kind }}') as {{ kind }},
        {% endfor %}
        count(*) as anomalies
    from {{ ref('mart_anomalies') }}
    group by machine_id
),

downtime as (
    select
        machine_id,
        sum(minutes) filter (where scope = 'all') as downtime_minutes,
        sum(minutes) filter (where scope = 'breakdown') as unplanned_minutes,
        sum(minutes) filter (
            where
            scope = 'breakdown'
            and {{ dbt.datediff('started_at', as_of(), 'day') }} < {{ var('recent_days') }}
        ) as recent_minutes
    from {{ ref('int_downtime') }}
    group by machine_id
),

services as (
    select
        machine_id,
        max(cast(ended_at as date)) filter (where kind = 'service' and not is_open) as last_service_on,
        count(*) filter (where is_open) as open_entries
    from {{ ref('stg_maintenance') }}
    group by machine_id
),

joined as (
    select
        machines.*,
        coalesce(sensors.sensors, 0) as sensors,
        coalesce(sensors.silent_sensors, 0) as silent_sensors,
        {% for kind in var('penalties') %}
            coalesce(anomalies.{{ kind }}, 0) as {{ kind }},
        {% endfor %}
        coalesce(anomalies.anomalies, 0) as anomalies,
        coalesce(downtime.downtime_minutes, 0) as downtime_minutes,
        coalesce(downtime.unplanned_minutes, 0) as unplanned_minutes,
        coalesce(downtime.recent_minutes, 0) as recent_minutes,
        services.last_service_on,
        {{ dbt.datediff('services.last_service_on', as_of(), 'day') }} as days_since_service,
        coalesce(services.open_entries, 0) > 0 as is_down
    from {{ ref('stg_machines') }} as machines
    left join sensors on machines.machine_id = sensors.machine_id
    left join anomalies on machines.machine_id = anomalies.machine_id
    left join downtime on machines.machine_id = downtime.machine_id
    left join services on machines.machine_id = services.machine_id
),

judged as (
    select
        *,
        -- a machine that was never serviced is overdue
        coalesce(days_since_service > service_interval_days, true) as is_overdue
    from joined
)

select
    machine_id,
    line,
    cast(sensors as integer) as sensors,
    cast(silent_sensors as integer) as silent_sensors,
    cast(anomalies as integer) as anomalies,
    cast(downtime_minutes as integer) as downtime_minutes,
    cast(unplanned_minutes as integer) as unplanned_minutes,
    cast(unplanned_minutes * cost_per_minute as decimal(14, 2)) as unplanned_cost,
    last_service_on,
    cast(days_since_service as integer) as days_since_service,
    is_overdue,
    is_down,
    cast(greatest(
        0,
        100
        {% for kind, points in var('penalties').items() %}
            - {{ points }} * {{ kind }}
        {% endfor %}
        - case when is_overdue then {{ var('overdue_penalty') }} else 0 end
        - least({{ var('most_for_breakdowns') }}, {{ whole_quotient('recent_minutes', '60') }})
    ) as integer) as health
from judged
