-- What a portfolio earned on a day, by units and price changes, is what its worth grew by less what it bought, to the
-- cent; and what it earned on all days is its total.
with steps as (
    select
        portfolio_id,
        valued_on,
        market_value
        - coalesce(lag(market_value) over (partition by portfolio_id order by valued_on), 0)
        - net_bought as growth,
        day_pnl,
        total_pnl,
        sum(day_pnl) over (
            partition by portfolio_id
            order by valued_on
            rows between unbounded preceding and current row
        ) as summed
    from {{ ref('mart_daily_valuations') }}
)

select *
from steps
where
    growth is distinct from day_pnl
    or summed is distinct from total_pnl
