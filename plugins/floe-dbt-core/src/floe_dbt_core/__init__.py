"""dbt plugin: dbt-core, in process."""
