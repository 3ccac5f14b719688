-- The customers to call today, the most valuable first.
select
    cast(row_number() over (order by profiles.net_spend desc, profiles.customer_id) as integer) as call_order,
    profiles.customer_id,
    profiles.full_name,
    profiles.segment,
    profiles.net_spend,
    profiles.last_purchase_on,
    profiles.days_since_purchase,
    profiles.pressing_tickets,
    support.pressing_since
from {{ ref('mart_customer_360') }} as profiles
inner join {{ ref('int_customer_support') }} as support
    on profiles.customer_id = support.customer_id
where profiles.is_churn_risk
