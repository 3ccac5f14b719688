{# Types of contracts and of dbt's own macros, in Spark's words. #}

{% macro spark_iceberg__get_empty_schema_sql(columns) -%}
    {%- set spelled = {} -%}
    {%- for name, column in columns.items() -%}
        {%- set one = dict(column) -%}
        {%- if one.get('data_type') -%}
            {%- do one.update({'data_type': adapter.spark_type(one['data_type'])}) -%}
        {%- endif -%}
        {%- do spelled.update({name: one}) -%}
    {%- endfor -%}
    {{ return(default__get_empty_schema_sql(spelled)) }}
{%- endmacro %}

{% macro spark_iceberg__type_timestamp() -%} timestamp_ntz {%- endmacro %}
{% macro spark_iceberg__type_string() -%} string {%- endmacro %}
{% macro spark_iceberg__type_numeric() -%} decimal(28, 6) {%- endmacro %}

{# Null where a text does not fit; a plain cast is an error there, as in DuckDB. #}
{% macro spark_iceberg__safe_cast(field, type) -%}
    try_cast({{ field }} as {{ adapter.spark_type(type) }})
{%- endmacro %}

{% macro spark_iceberg__cast(field, type) -%}
    cast({{ field }} as {{ adapter.spark_type(type) }})
{%- endmacro %}
