-- One row per support ticket; a ticket without `closed_at` is open.
select
    ticket_id,
    crm_id,
    category,
    priority,
    opened_at,
    closed_at,
    closed_at is null as is_open,
    closed_at is null and priority in ('high', 'urgent') as is_open_and_pressing,
    {{ dbt.datediff('opened_at', 'closed_at', 'minute') }} as resolution_minutes
from {{ raw('raw_support_tickets') }}
