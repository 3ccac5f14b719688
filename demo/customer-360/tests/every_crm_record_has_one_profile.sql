-- Joining duplicates neither drops a CRM record nor counts one twice.
select
    records.records,
    profiles.crm_records
from (select count(*) as records from {{ ref('stg_crm_customers') }}) as records
cross join (select sum(crm_records) as crm_records from {{ ref('mart_customer_360') }}) as profiles
where records.records is distinct from profiles.crm_records
