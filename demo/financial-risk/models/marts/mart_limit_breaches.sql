-- The counterparties over their limit, the worst first.
select
    cast(row_number() over (order by excess desc, counterparty_id) as integer) as call_order,
    counterparty_id,
    counterparty_name,
    rating,
    exposure,
    exposure_limit,
    excess
from {{ ref('mart_counterparty_exposure') }}
where is_breach
