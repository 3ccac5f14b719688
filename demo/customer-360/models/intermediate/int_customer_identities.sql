-- Which customer a CRM record belongs to. Records with the same e-mail address are one person, known by the oldest id;
-- name, segment and country are those of the record that was updated last.
select
    crm_id,
    min(crm_id) over (partition by email) as customer_id,
    row_number() over (partition by email order by updated_at desc, crm_id desc) = 1 as is_current,
    full_name,
    email,
    segment,
    country,
    min(signup_date) over (partition by email) as signup_date
from {{ ref('stg_crm_customers') }}
