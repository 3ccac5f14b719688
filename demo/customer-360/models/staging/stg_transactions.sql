-- One row per booking of the shop; amounts are positive, `kind` says which way the money went.
select
    transaction_id,
    crm_id,
    kind,
    status,
    amount,
    refund_of,
    booked_at,
    cast(booked_at as date) as booked_on
from {{ raw('raw_transactions') }}
