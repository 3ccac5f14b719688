{% materialization incremental, adapter='duckdb_iceberg', supported_languages=['sql', 'python'] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set full = existing is none or should_full_refresh() -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if model['language'] == 'python' -%}
        {%- set built = iceberg_python_rows(relation) -%}
        {%- call statement('python', language='python') -%}
            {{ py_write_table(temporary=False, relation=built, compiled_code=compiled_code) }}
        {%- endcall -%}
    {%- endif -%}

    {%- if full -%}
        {{ iceberg_replace(relation, 'select * from ' ~ built if built is defined else compiled_code) }}
        {%- do iceberg_drop_namesake(relation) -%}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
        {%- do adapter.commit() -%}
    {%- else -%}
        {%- set rows = built if built is defined else iceberg_incremental_rows(relation, compiled_code) -%}
        {%- set changed = process_schema_changes(on_schema_change, rows, relation) -%}
        {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
        {%- set sql = strategy({
                'target_relation': relation,
                'temp_relation': rows,
                'unique_key': config.get('unique_key'),
                'dest_columns': changed or adapter.get_columns_in_relation(relation),
                'incremental_predicates': config.get('predicates', none) or config.get('incremental_predicates', none),
            }) -%}
        {%- call statement('main') -%}
            {{ sql }}
        {%- endcall -%}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
        {%- do adapter.commit() -%}
        {%- do persist_docs(relation, model) -%}
        {%- do adapter.drop_relation(rows) if built is not defined -%}
    {%- endif -%}
    {%- do adapter.drop_relation(built) if built is defined -%}

    {%- do apply_grants(relation, config.get('grants'), should_revoke=should_revoke(existing, full)) -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{# The new rows, in a temporary table. #}
{% macro iceberg_incremental_rows(relation, code) -%}
    {%- set rows = make_temp_relation(relation) -%}
    {%- do run_query(create_table_as(True, rows, code)) -%}
    {{ return(rows) }}
{%- endmacro %}
