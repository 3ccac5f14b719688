-- What was bought and sold a day, and for how much, by portfolio, instrument and counterparty. Cancelled trades are
-- gone. One trade without a rate leaves the whole cost null, and a test fails.
with booked as (
    select
        trades.portfolio_id,
        trades.instrument_id,
        trades.counterparty_id,
        trades.traded_on,
        trades.signed_quantity,
        {{ in_eur('trades.price', 'rates.eur_per_unit') }} as eur_price
    from {{ ref('stg_trades') }} as trades
    left join {{ ref('stg_instruments') }} as instruments
        on trades.instrument_id = instruments.instrument_id
    left join {{ ref('stg_fx_rates') }} as rates
        on
            instruments.currency = rates.currency
            and trades.traded_on = rates.rate_on
    where
        trades.status = 'booked'
        and trades.traded_on <= {{ as_of() }}
)

select
    portfolio_id,
    instrument_id,
    counterparty_id,
    traded_on,
    count(*) as trades,
    cast(sum(signed_quantity) as bigint) as quantity,
    cast(
        case when count(eur_price) = count(*) then sum(signed_quantity * eur_price) end
        as decimal(18, 2)
    ) as cost
from booked
group by portfolio_id, instrument_id, counterparty_id, traded_on
