-- One row per quote of the price feed, as it was delivered; errors of the feed are still in it.
select
    instrument_id,
    price_on,
    close_price
from {{ raw('raw_prices') }}
