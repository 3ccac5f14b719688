-- One row per portfolio and business day. A later build values again from the earliest day on which something changed:
-- the day of a trade that was booked or cancelled since, or the last days, whose quotes may have been confirmed.
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key=['portfolio_id', 'valued_on'],
        on_schema_change='fail',
        partition_by=['month(valued_on)'],
    )
}}

with days as (
    select distinct valued_on from {{ ref('int_eur_prices') }}
),

known as (
    select max(updated_at) as known_until from {{ ref('stg_trades') }}
),

positions as (
    select
        portfolio_id,
        valued_on,
        sum(market_value) as market_value,
        sum(traded_cost) as net_bought,
        sum(held_pnl) as held_pnl,
        sum(traded_pnl) as traded_pnl
    from {{ ref('int_daily_positions') }}
    group by portfolio_id, valued_on
),

valuations as (
    select
        portfolios.portfolio_id,
        days.valued_on,
        coalesce(positions.market_value, 0) as market_value,
        coalesce(positions.net_bought, 0) as net_bought,
        coalesce(positions.held_pnl, 0) as held_pnl,
        coalesce(positions.traded_pnl, 0) as traded_pnl,
        sum(coalesce(positions.held_pnl + positions.traded_pnl, 0)) over (
            partition by portfolios.portfolio_id
            order by days.valued_on
            rows between unbounded preceding and current row
        ) as total_pnl,
        known.known_until
    from {{ ref('stg_portfolios') }} as portfolios
    cross join days
    cross join known
    left join positions
        on
            portfolios.portfolio_id = positions.portfolio_id
            and days.valued_on = positions.valued_on
)

select
    portfolio_id,
    valued_on,
    cast(market_value as decimal(18, 2)) as market_value,
    cast(net_bought as decimal(18, 2)) as net_bought,
    cast(held_pnl as decimal(18, 2)) as held_pnl,
    cast(traded_pnl as decimal(18, 2)) as traded_pnl,
    cast(held_pnl + traded_pnl as decimal(18, 2)) as day_pnl,
    cast(total_pnl as decimal(18, 2)) as total_pnl,
    known_until
from valuations
{% if is_incremental() %}
where valued_on >= (
    select min(changes.changed_on)
    from (
        select cast({{ dbt.dateadd('day', -1 * var('revalued_days'), 'max(valued_on)') }} as date) as changed_on
        from {{ this }}
        union all
        select min(traded_on) as changed_on
        from {{ ref('stg_trades') }}
        where updated_at >= (select max(known_until) from {{ this }})
    ) as changes
)
{% endif %}
