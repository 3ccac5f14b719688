-- Prices to ask the feed about: quotes that were not believed, and instruments whose last quote is older than the day
-- that is valued.
select
    checks.instrument_id,
    'jump' as kind,
    checks.price_on as happened_on,
    checks.close_price as quoted_price,
    prices.close_price as used_price
from {{ ref('int_price_checks') }} as checks
inner join {{ ref('int_eur_prices') }} as prices
    on
        checks.instrument_id = prices.instrument_id
        and checks.price_on = prices.valued_on
where checks.is_jump
union all
select
    instrument_id,
    'stale' as kind,
    quoted_on as happened_on,
    close_price as quoted_price,
    close_price as used_price
from {{ ref('int_eur_prices') }}
where
    valued_on = {{ as_of() }}
    and is_stale
