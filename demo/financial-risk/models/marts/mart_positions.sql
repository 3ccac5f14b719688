-- Every position with a counterparty at the close of the as-of date: what it is worth, and what it has earned.
with flows as (
    select
        portfolio_id,
        instrument_id,
        counterparty_id,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(cost) as decimal(18, 2)) as cost,
        cast(sum(case when traded_on = {{ as_of() }} then quantity else 0 end) as bigint) as traded_quantity,
        cast(sum(case when traded_on = {{ as_of() }} then cost else 0 end) as decimal(18, 2)) as traded_cost
    from {{ ref('int_trade_flows') }}
    group by portfolio_id, instrument_id, counterparty_id
)

select
    flows.portfolio_id,
    flows.instrument_id,
    flows.counterparty_id,
    prices.currency,
    flows.quantity,
    prices.eur_price,
    prices.quoted_on,
    prices.is_stale,
    cast(flows.quantity * prices.eur_price as decimal(18, 2)) as market_value,
    flows.cost,
    cast(flows.quantity * prices.eur_price - flows.cost as decimal(18, 2)) as total_pnl,
    cast(
        case
            when flows.quantity = flows.traded_quantity then 0
            else (flows.quantity - flows.traded_quantity) * (prices.eur_price - prices.previous_eur_price)
        end
        + flows.traded_quantity * prices.eur_price - flows.traded_cost
        as decimal(18, 2)
    ) as day_pnl
from flows
left join {{ ref('int_eur_prices') }} as prices
    on
        flows.instrument_id = prices.instrument_id
        and prices.valued_on = {{ as_of() }}
