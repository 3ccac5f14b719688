-- The whole book in one row. Its value at risk is less than the sum over the portfolios, since they do not lose together.
with portfolios as (
    select
        count(*) as portfolios,
        sum(market_value) as market_value,
        sum(gross_value) as gross_value,
        sum(day_pnl) as day_pnl,
        sum(total_pnl) as total_pnl,
        sum(value_at_risk) as summed_value_at_risk
    from {{ ref('mart_portfolio_risk') }}
),

counterparties as (
    select
        sum(exposure) as exposure,
        sum(case when is_breach then 1 else 0 end) as breaches,
        sum(excess) as excess
    from {{ ref('mart_counterparty_exposure') }}
)

select
    {{ as_of() }} as valued_on,
    cast(portfolios.portfolios as integer) as portfolios,
    cast(portfolios.market_value as decimal(18, 2)) as market_value,
    cast(portfolios.gross_value as decimal(18, 2)) as gross_value,
    cast(portfolios.day_pnl as decimal(18, 2)) as day_pnl,
    cast(portfolios.total_pnl as decimal(18, 2)) as total_pnl,
    risks.value_at_risk,
    cast(portfolios.summed_value_at_risk - risks.value_at_risk as decimal(18, 2)) as diversification,
    cast(counterparties.exposure as decimal(18, 2)) as exposure,
    cast(counterparties.breaches as integer) as breaches,
    cast(counterparties.excess as decimal(18, 2)) as excess
from portfolios
cross join counterparties
left join {{ ref('int_value_at_risk') }} as risks
    on risks.scope = 'BOOK'
