-- What a customer bought and got back. Only completed bookings count: an order that was cancelled is no sign of life.
select
    identities.customer_id,
    count(*) filter (where bookings.kind = 'purchase') as purchases,
    count(*) filter (where bookings.kind = 'refund') as refunds,
    coalesce(sum(bookings.amount) filter (where bookings.kind = 'purchase'), 0) as gross_spend,
    coalesce(sum(bookings.amount) filter (where bookings.kind = 'refund'), 0) as refunded_amount,
    min(bookings.booked_on) filter (where bookings.kind = 'purchase') as first_purchase_on,
    max(bookings.booked_on) filter (where bookings.kind = 'purchase') as last_purchase_on
from {{ ref('stg_transactions') }} as bookings
inner join {{ ref('int_customer_identities') }} as identities
    on bookings.crm_id = identities.crm_id
where bookings.status = 'completed'
group by identities.customer_id
