-- One row per entry of the log; a machine that still stands has stood until the end of the as-of date.
select
    log_id,
    machine_id,
    kind,
    started_at,
    coalesce(ended_at, {{ window_end() }}) as ended_at,
    ended_at is null as is_open
from {{ raw('raw_maintenance_log') }}
