-- The machines that need maintenance, the most urgent first: the least healthy, then the one that stood still longest.
select
    cast(row_number() over (order by health, unplanned_minutes desc, machine_id) as integer) as queue_order,
    machine_id,
    line,
    health,
    anomalies,
    unplanned_minutes,
    unplanned_cost,
    days_since_service,
    is_overdue,
    is_down,
    case
        when is_overdue and health < {{ var('low_health') }} then 'low health, service overdue'
        when is_overdue then 'service overdue'
        else 'low health'
    end as reason
from {{ ref('mart_equipment_health') }}
where health < {{ var('low_health') }} or is_overdue
