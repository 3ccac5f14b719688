-- What each portfolio, and the book, would gain or lose tomorrow if prices moved as they did on each day of the history:
-- today's price times that day's price over the price of the day before, to four decimals, half up.
with units as (
    select
        instrument_id,
        valued_on,
        cast(eur_price * 10000 as bigint) as price,
        cast(previous_eur_price * 10000 as bigint) as previous_price
    from {{ ref('int_eur_prices') }}
),

moves as (
    select
        history.instrument_id,
        history.valued_on as scenario_on,
        cast(
            {{ nearest_whole('today.price * history.price', 'history.previous_price') }} - today.price
            as decimal(18, 0)
        ) * cast(0.0001 as decimal(4, 4)) as price_change
    from units as history
    inner join units as today
        on history.instrument_id = today.instrument_id
    where
        today.valued_on = {{ as_of() }}
        and history.previous_price is not null
),

portfolios as (
    select
        positions.portfolio_id as scope,
        moves.scenario_on,
        cast(sum(positions.quantity * moves.price_change) as decimal(18, 2)) as pnl
    from {{ ref('int_daily_positions') }} as positions
    inner join moves
        on positions.instrument_id = moves.instrument_id
    where positions.valued_on = {{ as_of() }}
    group by positions.portfolio_id, moves.scenario_on
)

select
    scope,
    scenario_on,
    pnl
from portfolios
union all
select
    'BOOK' as scope,
    scenario_on,
    cast(sum(pnl) as decimal(18, 2)) as pnl
from portfolios
group by scenario_on
