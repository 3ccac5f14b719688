-- All refunds of one purchase together never exceed it, and belong to the customer who bought.
select
    purchase.transaction_id,
    purchase.amount,
    sum(refund.amount) as refunded
from {{ ref('stg_transactions') }} as refund
left join {{ ref('stg_transactions') }} as purchase
    on refund.refund_of = purchase.transaction_id
where refund.kind = 'refund'
group by purchase.transaction_id, purchase.amount
having
    purchase.transaction_id is null
    or sum(refund.amount) > purchase.amount
    or count(*) filter (where refund.crm_id <> purchase.crm_id) > 0
