-- Every quote, and whether to believe it. A quote is a jump when it is more than the allowed percentage of the quote
-- before away from it, and the next one leaps back by more than that, too; a quote that nothing follows yet waits for
-- its confirmation. A fall that stays is real.
with quotes as (
    select
        instrument_id,
        price_on,
        close_price,
        lag(close_price) over (partition by instrument_id order by price_on) as previous_price,
        lead(close_price) over (partition by instrument_id order by price_on) as next_price
    from {{ ref('stg_prices') }}
    where price_on <= {{ as_of() }}
)

select
    instrument_id,
    price_on,
    close_price,
    previous_price,
    coalesce(abs(close_price - previous_price) * 100 > previous_price * {{ var('jump_pct') }}, false)
    and coalesce(
        abs(next_price - close_price) * 100 > previous_price * {{ var('jump_pct') }}
        and (next_price > close_price) <> (close_price > previous_price),
        true
    ) as is_jump
from quotes
