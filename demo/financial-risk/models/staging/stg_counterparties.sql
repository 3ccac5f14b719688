-- One row per counterparty, with the limit that the credit committee set.
select
    counterparty_id,
    counterparty_name,
    rating,
    upper(country) as country,
    has_netting,
    exposure_limit
from {{ raw('raw_counterparties') }}
