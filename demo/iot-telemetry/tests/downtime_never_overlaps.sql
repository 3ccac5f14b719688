-- Merged standstills of one machine are apart, so that their minutes may be added up.
select
    machine_id,
    scope,
    started_at
from (
    select
        *,
        lag(ended_at) over (partition by scope, machine_id order by started_at) as ended_before
    from {{ ref('int_downtime') }}
) as stops
where started_at <= ended_before
