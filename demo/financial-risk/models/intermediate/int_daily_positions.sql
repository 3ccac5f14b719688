-- What each portfolio held of each instrument at the close of every business day, and what that day earned: what was
-- held before moved with the price, what was traded moved from its own price to the close.
with traded as (
    select
        portfolio_id,
        instrument_id,
        traded_on,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(cost) as decimal(18, 2)) as cost
    from {{ ref('int_trade_flows') }}
    group by portfolio_id, instrument_id, traded_on
),

held as (
    select distinct
        portfolio_id,
        instrument_id
    from traded
),

days as (
    select
        held.portfolio_id,
        held.instrument_id,
        prices.valued_on,
        prices.eur_price,
        prices.previous_eur_price,
        coalesce(traded.quantity, 0) as traded_quantity,
        coalesce(traded.cost, 0) as traded_cost,
        cast(
            coalesce(
                sum(traded.quantity) over (
                    partition by held.portfolio_id, held.instrument_id
                    order by prices.valued_on
                    rows between unbounded preceding and current row
                ),
                0
            ) as bigint
        ) as quantity
    from held
    inner join {{ ref('int_eur_prices') }} as prices
        on held.instrument_id = prices.instrument_id
    left join traded
        on
            held.portfolio_id = traded.portfolio_id
            and held.instrument_id = traded.instrument_id
            and prices.valued_on = traded.traded_on
)

select
    portfolio_id,
    instrument_id,
    valued_on,
    quantity,
    traded_quantity,
    traded_cost,
    cast(quantity * eur_price as decimal(18, 2)) as market_value,
    cast(
        case
            when quantity = traded_quantity then 0
            else (quantity - traded_quantity) * (eur_price - previous_eur_price)
        end as decimal(18, 2)
    ) as held_pnl,
    cast(traded_quantity * eur_price - traded_cost as decimal(18, 2)) as traded_pnl
from days
