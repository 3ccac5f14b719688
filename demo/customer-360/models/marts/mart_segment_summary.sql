-- One row per segment, for the board.
select
    segment,
    cast(count(*) as integer) as customers,
    cast(count(*) filter (where purchases > 0) as integer) as buyers,
    cast(sum(purchases) as integer) as purchases,
    cast(sum(gross_spend) as decimal(14, 2)) as gross_spend,
    cast(sum(refunded_amount) as decimal(14, 2)) as refunded_amount,
    cast(sum(net_spend) as decimal(14, 2)) as net_spend,
    cast(sum(open_tickets) as integer) as open_tickets,
    cast(count(*) filter (where is_churn_risk) as integer) as churn_risks
from {{ ref('mart_customer_360') }}
group by segment
