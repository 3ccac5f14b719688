-- What the profiles add up to is what the shop booked, to the cent, and the segments add up to the profiles.
with booked as (
    select
        sum(case when kind = 'purchase' then amount else -amount end) as net_spend
    from {{ ref('stg_transactions') }}
    where status = 'completed'
),

profiles as (
    select sum(net_spend) as net_spend from {{ ref('mart_customer_360') }}
),

segments as (
    select sum(net_spend) as net_spend from {{ ref('mart_segment_summary') }}
)

select
    booked.net_spend as booked,
    profiles.net_spend as in_profiles,
    segments.net_spend as in_segments
from booked
cross join profiles
cross join segments
where
    booked.net_spend is distinct from profiles.net_spend
    or profiles.net_spend is distinct from segments.net_spend
