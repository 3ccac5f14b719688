-- One row per portfolio: what it is worth, what it earned, what it may lose, and how much of it is one instrument.
with held as (
    select
        portfolio_id,
        instrument_id,
        market_value,
        row_number() over (partition by portfolio_id order by abs(market_value) desc, instrument_id) as size_rank
    from {{ ref('int_daily_positions') }}
    where valued_on = {{ as_of() }}
),

sizes as (
    select
        portfolio_id,
        sum(abs(market_value)) as gross_value,
        max(case when size_rank = 1 then instrument_id end) as largest_instrument,
        max(case when size_rank = 1 then abs(market_value) end) as largest_value
    from held
    group by portfolio_id
)

select
    portfolios.portfolio_id,
    portfolios.portfolio_name,
    portfolios.desk,
    valuations.market_value,
    cast(coalesce(sizes.gross_value, 0) as decimal(18, 2)) as gross_value,
    valuations.day_pnl,
    valuations.total_pnl,
    cast(coalesce(risks.value_at_risk, 0) as decimal(18, 2)) as value_at_risk,
    risks.scenario_on as risk_scenario_on,
    sizes.largest_instrument,
    cast({{ percent_of('sizes.largest_value', 'sizes.gross_value') }} as decimal(12, 2)) as largest_share_pct,
    coalesce(sizes.largest_value * 100 > sizes.gross_value * {{ var('concentration_limit_pct') }}, false)
        as is_concentrated
from {{ ref('stg_portfolios') }} as portfolios
inner join {{ ref('mart_daily_valuations') }} as valuations
    on portfolios.portfolio_id = valuations.portfolio_id
left join sizes
    on portfolios.portfolio_id = sizes.portfolio_id
left join {{ ref('int_value_at_risk') }} as risks
    on portfolios.portfolio_id = risks.scope
where valuations.valued_on = {{ as_of() }}
