-- Every unit that was booked until the as-of date is in a position, whatever price, rate or counterparty is missing.
with booked as (
    select
        portfolio_id,
        instrument_id,
        counterparty_id,
        sum(signed_quantity) as quantity
    from {{ ref('stg_trades') }}
    where
        status = 'booked'
        and traded_on <= {{ as_of() }}
    group by portfolio_id, instrument_id, counterparty_id
)

select
    booked.portfolio_id,
    booked.instrument_id,
    booked.counterparty_id,
    booked.quantity,
    positions.quantity as found
from booked
left join {{ ref('mart_positions') }} as positions
    on
        booked.portfolio_id = positions.portfolio_id
        and booked.instrument_id = positions.instrument_id
        and booked.counterparty_id = positions.counterparty_id
where
    booked.quantity is distinct from positions.quantity
    or positions.market_value is null
    or positions.cost is null
