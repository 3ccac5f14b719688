-- The times in which a machine stood still, each minute once: entries that overlap are merged. `scope` is `all`, or
-- `breakdown` for breakdowns only; a breakdown that was found during a service is in both.
with entries as (
    select
        'all' as scope,
        machine_id,
        log_id,
        started_at,
        ended_at
    from {{ ref('stg_maintenance') }}
    union all
    select
        'breakdown' as scope,
        machine_id,
        log_id,
        started_at,
        ended_at
    from {{ ref('stg_maintenance') }}
    where kind = 'breakdown'
),

marked as (
    select
        *,
        max(ended_at) over (
            partition by scope, machine_id order by started_at, log_id
            rows between unbounded preceding and 1 preceding
        ) as ended_before
    from entries
),

numbered as (
    select
        *,
        sum(case when started_at <= ended_before then 0 else 1 end) over (
            partition by scope, machine_id order by started_at, log_id
            rows between unbounded preceding and current row
        ) as stop
    from marked
),

stops as (
    select
        scope,
        machine_id,
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from numbered
    group by scope, machine_id, stop
)

select
    scope,
    machine_id,
    started_at,
    ended_at,
    {{ dbt.datediff('started_at', 'ended_at', 'minute') }} as minutes
from stops
