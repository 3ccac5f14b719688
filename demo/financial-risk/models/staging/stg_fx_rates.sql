-- What one unit of a currency is worth in EUR, by day. The euro is a currency like the others, worth one.
select
    currency,
    rate_on,
    eur_per_unit
from {{ raw('raw_fx_rates') }}
union all
select distinct
    'EUR' as currency,
    rate_on,
    cast(1 as decimal(12, 6)) as eur_per_unit
from {{ raw('raw_fx_rates') }}
