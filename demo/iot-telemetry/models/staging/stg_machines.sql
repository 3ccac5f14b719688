-- One row per machine.
select
    machine_id,
    line,
    cost_per_minute,
    service_interval_days
from {{ raw('raw_machines') }}
