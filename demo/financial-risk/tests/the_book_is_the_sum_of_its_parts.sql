-- Positions by counterparty, portfolios on their way through the days, and the book are three ways to one total.
with positions as (
    select
        sum(market_value) as market_value,
        sum(total_pnl) as total_pnl,
        sum(day_pnl) as day_pnl
    from {{ ref('mart_positions') }}
),

valuations as (
    select
        sum(market_value) as market_value,
        sum(total_pnl) as total_pnl,
        sum(day_pnl) as day_pnl
    from {{ ref('mart_daily_valuations') }}
    where valued_on = {{ as_of() }}
)

select
    book.market_value,
    positions.market_value as of_positions,
    valuations.market_value as of_valuations
from {{ ref('mart_book_summary') }} as book
cross join positions
cross join valuations
where
    book.market_value is distinct from positions.market_value
    or book.market_value is distinct from valuations.market_value
    or book.total_pnl is distinct from positions.total_pnl
    or book.total_pnl is distinct from valuations.total_pnl
    or book.day_pnl is distinct from positions.day_pnl
    or book.day_pnl is distinct from valuations.day_pnl
