-- What each counterparty would owe the book if it failed today, held against its limit. Positions are swaps that settle
-- at their end, without collateral: their gain is the counterparty's debt. With a netting agreement gains and losses
-- are one sum, max(V, 0); without one every position stands alone, and losses do not count (Basel Framework, CRE52:
-- the replacement cost of a netting set).
with owed as (
    select
        counterparty_id,
        count(*) as positions,
        sum(case when total_pnl > 0 then total_pnl else 0 end) as gains,
        sum(case when total_pnl < 0 then -total_pnl else 0 end) as losses
    from {{ ref('mart_positions') }}
    group by counterparty_id
),

exposures as (
    select
        counterparties.counterparty_id,
        counterparties.counterparty_name,
        counterparties.rating,
        counterparties.country,
        counterparties.has_netting,
        counterparties.exposure_limit,
        coalesce(owed.positions, 0) as positions,
        coalesce(owed.gains, 0) as gains,
        coalesce(owed.losses, 0) as losses,
        case
            when counterparties.has_netting then greatest(coalesce(owed.gains - owed.losses, 0), 0)
            else coalesce(owed.gains, 0)
        end as exposure
    from {{ ref('stg_counterparties') }} as counterparties
    left join owed
        on counterparties.counterparty_id = owed.counterparty_id
)

select
    counterparty_id,
    counterparty_name,
    rating,
    country,
    has_netting,
    cast(positions as integer) as positions,
    cast(gains as decimal(18, 2)) as gains,
    cast(losses as decimal(18, 2)) as losses,
    cast(exposure as decimal(18, 2)) as exposure,
    cast(exposure_limit as decimal(18, 2)) as exposure_limit,
    cast({{ percent_of('exposure', 'exposure_limit') }} as decimal(12, 2)) as utilisation_pct,
    cast(greatest(exposure - exposure_limit, 0) as decimal(18, 2)) as excess,
    exposure > exposure_limit as is_breach
from exposures
