-- One row per CRM record, cleaned; duplicates of a person are still apart here.
select
    crm_id,
    trim(full_name) as full_name,
    lower(trim(email)) as email,
    segment,
    upper(country) as country,
    signup_date,
    updated_at
from {{ raw('raw_crm_customers') }}
