-- The queue's order is that of health, without gaps.
select
    queue_order,
    machine_id
from (
    select
        queue_order,
        machine_id,
        health,
        lag(queue_order) over (order by queue_order) as order_before,
        lag(health) over (order by queue_order) as health_before
    from {{ ref('mart_maintenance_queue') }}
) as queue
where health < health_before or queue_order <> coalesce(order_before, 0) + 1
