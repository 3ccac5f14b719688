-- How often a customer needed help, and what is still waiting.
select
    identities.customer_id,
    count(*) as tickets,
    count(*) filter (where tickets.is_open) as open_tickets,
    count(*) filter (where tickets.is_open_and_pressing) as pressing_tickets,
    min(cast(tickets.opened_at as date)) filter (where tickets.is_open_and_pressing) as pressing_since,
    count(tickets.resolution_minutes) as closed_tickets,
    cast(coalesce(sum(tickets.resolution_minutes), 0) as bigint) as resolution_minutes
from {{ ref('stg_support_tickets') }} as tickets
inner join {{ ref('int_customer_identities') }} as identities
    on tickets.crm_id = identities.crm_id
group by identities.customer_id
