-- One row per trade as the desks booked it; what was sold counts negative.
select
    trade_id,
    portfolio_id,
    instrument_id,
    counterparty_id,
    side,
    status,
    quantity,
    case when side = 'buy' then quantity else -quantity end as signed_quantity,
    price,
    traded_at,
    cast(traded_at as date) as traded_on,
    updated_at
from {{ raw('raw_trades') }}
