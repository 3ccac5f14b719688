{% materialization seed, adapter='duckdb_iceberg' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set agate_table = load_agate_table() -%}
    {%- do store_result('agate_table', response='OK', agate_table=agate_table) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set read = iceberg_read_seed(relation, agate_table) -%}
    {{ iceberg_replace(relation, 'select * from ' ~ read) }}
    {%- do run_query('drop table ' ~ read) -%}
    {%- do iceberg_drop_namesake(relation) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do apply_grants(relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{# The file's rows in a temporary table, with the types that dbt finds in it or the project gives. #}
{% macro iceberg_read_seed(relation, agate_table) -%}
    {%- set read = make_temp_relation(relation) -%}
    {%- set given = model['config'].get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set found = adapter.convert_type(agate_table, loop.index0) -%}
        {%- set quoted = adapter.quote_seed_column(name, model['config'].get('quote_columns', none)) -%}
        {%- do columns.append(quoted ~ ' ' ~ given.get(name, found)) -%}
    {%- endfor -%}
    {%- call statement('read_seed') -%}
        create temporary table {{ read }} ({{ columns | join(', ') }});
        copy {{ read }} from '{{ adapter.escape_sql_string(adapter.get_seed_file_path(model)) }}'
        (format csv, header true, delimiter '{{ config.get('delimiter', ',') }}')
    {%- endcall -%}
    {{ return(read) }}
{%- endmacro %}
