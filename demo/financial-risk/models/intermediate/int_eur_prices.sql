-- The price of every instrument on every business day, in EUR: the last quote that can be believed, at the day's rate.
-- A rate that is missing leaves the price null, and a test fails; no other day's rate stands in for it.
with days as (
    select distinct price_on as valued_on from {{ ref('int_price_checks') }}
),

believed as (
    select
        instrument_id,
        price_on,
        close_price
    from {{ ref('int_price_checks') }}
    where not is_jump
),

dated as (
    select
        instruments.instrument_id,
        instruments.currency,
        days.valued_on,
        max(believed.price_on) over (
            partition by instruments.instrument_id
            order by days.valued_on
            rows between unbounded preceding and current row
        ) as quoted_on
    from {{ ref('stg_instruments') }} as instruments
    cross join days
    left join believed
        on
            instruments.instrument_id = believed.instrument_id
            and days.valued_on = believed.price_on
),

priced as (
    select
        dated.instrument_id,
        dated.currency,
        dated.valued_on,
        dated.quoted_on,
        believed.close_price,
        rates.eur_per_unit,
        {{ in_eur('believed.close_price', 'rates.eur_per_unit') }} as eur_price
    from dated
    inner join believed
        on
            dated.instrument_id = believed.instrument_id
            and dated.quoted_on = believed.price_on
    left join {{ ref('stg_fx_rates') }} as rates
        on
            dated.currency = rates.currency
            and dated.valued_on = rates.rate_on
)

select
    instrument_id,
    currency,
    valued_on,
    quoted_on,
    quoted_on < valued_on as is_stale,
    close_price,
    eur_per_unit,
    eur_price,
    lag(eur_price) over (partition by instrument_id order by valued_on) as previous_eur_price
from priced
