{#
    One commit a run. `delete+insert` is a merge here: Spark has no transaction over two statements, and for rows that
    are one a key, which that strategy is for, both leave the same.
#}
{% materialization incremental, adapter='spark_iceberg', supported_languages=['sql'] %}
    {%- set key = config.get('unique_key') -%}
    {%- set strategy = config.get('incremental_strategy') or ('merge' if key else 'append') -%}
    {%- set changes = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none or existing.is_view or should_full_refresh() -%}
        {%- do spark_iceberg_clear(existing, 'table') -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, relation, compiled_code) }}
        {%- endcall -%}
    {%- else -%}
        {%- set new = make_temp_relation(relation, '__dbt_tmp') -%}
        {%- call statement('new_rows') -%}
            {{ create_table_as(True, new, compiled_code) }}
        {%- endcall -%}
        {%- do process_schema_changes(changes, new, existing) -%}
        {%- call statement('main') -%}
            {{ spark_iceberg_change(strategy, relation, new, key) }}
        {%- endcall -%}
        {%- call statement('forget') -%}
            drop view if exists {{ new }}
        {%- endcall -%}
    {%- endif -%}
    {%- do persist_docs(relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% macro spark_iceberg_change(strategy, target, source, key) -%}
    {%- set columns = adapter.get_columns_in_relation(target) -%}
    {%- set listed = columns | map(attribute='quoted') | join(', ') -%}
    {%- if strategy == 'append' -%}
        insert into {{ target }} ({{ listed }}) select {{ listed }} from {{ source }}
    {%- elif strategy == 'insert_overwrite' -%}
        insert overwrite {{ target }} select {{ listed }} from {{ source }}
    {%- elif strategy in ('merge', 'delete+insert') -%}
        {%- if not key -%}
            {%- do exceptions.raise_compiler_error('the strategy ' ~ strategy ~ ' needs a unique_key') -%}
        {%- endif -%}
        {{ get_merge_sql(target, source, key, columns, config.get('incremental_predicates')) }}
    {%- else -%}
        {%- do exceptions.raise_compiler_error(
            'there is no incremental strategy ' ~ strategy ~ ': append, merge, delete+insert, insert_overwrite'
        ) -%}
    {%- endif -%}
{%- endmacro %}
