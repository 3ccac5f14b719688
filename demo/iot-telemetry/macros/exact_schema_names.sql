{# A folder's schema is called what dbt_project.yml calls it: `marts`, never `main_marts`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
