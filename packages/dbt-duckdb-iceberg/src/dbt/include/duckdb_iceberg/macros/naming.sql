{#
    Tables lie in the catalog. What the catalog cannot hold (views), and what is nobody's product (stored failures of
    tests, files that a model writes) is in the local file.
#}
{% macro duckdb_iceberg__generate_database_name(custom_database_name=none, node=none) -%}
    {%- if custom_database_name is not none -%}
        {{ custom_database_name | trim }}
    {%- elif node is not none and node.config is defined
            and node.config.materialized in ['view', 'test', 'unit', 'ephemeral', 'external', 'table_function', 'function'] -%}
        {{ target.local_database }}
    {%- else -%}
        {{ target.database }}
    {%- endif -%}
{%- endmacro %}

{#
    A schema is called what the project calls it. The product's namespace goes before it where the relation is made
    (DuckDBIcebergRelation), so a project that defines generate_schema_name itself fares the same.
#}
{% macro duckdb_iceberg__generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
