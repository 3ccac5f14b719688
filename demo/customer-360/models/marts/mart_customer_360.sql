-- One profile per customer.
with identities as (
    select * from {{ ref('int_customer_identities') }}
),

records as (
    select
        customer_id,
        count(*) as crm_records
    from identities
    group by customer_id
),

profiles as (
    select
        identities.customer_id,
        identities.full_name,
        identities.email,
        identities.segment,
        identities.country,
        identities.signup_date,
        records.crm_records,
        coalesce(orders.purchases, 0) as purchases,
        coalesce(orders.refunds, 0) as refunds,
        coalesce(orders.gross_spend, 0) as gross_spend,
        coalesce(orders.refunded_amount, 0) as refunded_amount,
        orders.first_purchase_on,
        orders.last_purchase_on,
        coalesce(support.tickets, 0) as tickets,
        coalesce(support.open_tickets, 0) as open_tickets,
        coalesce(support.pressing_tickets, 0) as pressing_tickets,
        coalesce(support.closed_tickets, 0) as closed_tickets,
        coalesce(support.resolution_minutes, 0) as resolution_minutes
    from identities
    inner join records on identities.customer_id = records.customer_id
    left join {{ ref('int_customer_orders') }} as orders on identities.customer_id = orders.customer_id
    left join {{ ref('int_customer_support') }} as support on identities.customer_id = support.customer_id
    where identities.is_current
)

select
    customer_id,
    full_name,
    email,
    segment,
    country,
    signup_date,
    cast({{ dbt.datediff('signup_date', as_of(), 'day') }} as integer) as lifetime_days,
    cast(crm_records as integer) as crm_records,
    cast(purchases as integer) as purchases,
    cast(refunds as integer) as refunds,
    cast(gross_spend as decimal(12, 2)) as gross_spend,
    cast(refunded_amount as decimal(12, 2)) as refunded_amount,
    cast(gross_spend - refunded_amount as decimal(12, 2)) as net_spend,
    cast({{ rounded_ratio('cast(gross_spend * 100 as bigint)', '(100 * purchases)') }} as decimal(12, 2))
        as average_purchase,
    first_purchase_on,
    last_purchase_on,
    cast({{ dbt.datediff('last_purchase_on', as_of(), 'day') }} as integer) as days_since_purchase,
    cast(tickets as integer) as tickets,
    cast(open_tickets as integer) as open_tickets,
    cast(pressing_tickets as integer) as pressing_tickets,
    cast({{ rounded_ratio('resolution_minutes', '(60 * closed_tickets)') }} as decimal(9, 2))
        as average_resolution_hours,
    purchases >= {{ var('churn_min_purchases') }}
    and pressing_tickets > 0
    and {{ dbt.datediff('last_purchase_on', as_of(), 'day') }} >= {{ var('churn_silent_days') }} as is_churn_risk
from profiles
