-- The list of breaches is the exposures over their limit, no more and no fewer.
select
    coalesce(exposures.counterparty_id, breaches.counterparty_id) as counterparty_id,
    exposures.exposure,
    exposures.exposure_limit
from {{ ref('mart_counterparty_exposure') }} as exposures
full outer join {{ ref('mart_limit_breaches') }} as breaches
    on exposures.counterparty_id = breaches.counterparty_id
where (exposures.exposure > exposures.exposure_limit) is distinct from (breaches.counterparty_id is not null)
