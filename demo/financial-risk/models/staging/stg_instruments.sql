-- One row per instrument.
select
    instrument_id,
    instrument_name,
    upper(currency) as currency,
    sector
from {{ raw('raw_instruments') }}
