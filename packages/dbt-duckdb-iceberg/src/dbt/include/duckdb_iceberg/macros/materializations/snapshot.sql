{% materialization snapshot, adapter='duckdb_iceberg' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set strategy = strategy_dispatch(config.get('strategy'))(
            model, 'snapshotted_data', 'source_data', model['config'], existing is not none) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing is none -%}
        {%- set sql = build_snapshot_table(strategy, model['compiled_code']) -%}
        {{ check_time_data_types(sql) }}
        {{ iceberg_replace(relation, sql) }}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
        {%- do adapter.commit() -%}
    {%- else -%}
        {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
        {%- do adapter.assert_valid_snapshot_target_given_strategy(relation, columns, strategy) -%}
        {{ check_time_data_types(snapshot_staging_table(strategy, sql, relation)) }}
        {%- set staged = build_snapshot_staging_table(strategy, sql, relation) -%}
        {%- do create_columns(relation, iceberg_snapshot_columns(adapter.get_missing_columns(staged, relation))) -%}
        {%- set names = [] -%}
        {%- for column in iceberg_snapshot_columns(adapter.get_columns_in_relation(staged)) -%}
            {%- do names.append(adapter.quote(column.name)) -%}
        {%- endfor -%}
        {%- call statement('main') -%}
            {{ snapshot_merge_sql(target=relation, source=staged, insert_cols=names) }}
        {%- endcall -%}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
        {%- do adapter.commit() -%}
        {%- do persist_docs(relation, model) -%}
        {%- do post_snapshot(staged) -%}
    {%- endif -%}

    {%- do apply_grants(relation, config.get('grants'), should_revoke=should_revoke(existing is not none, full_refresh_mode=False)) -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{# Without the columns that only the staging has: dbt_change_type and dbt_unique_key, numbered where the key is a list. #}
{% macro iceberg_snapshot_columns(columns) -%}
    {%- set kept = [] -%}
    {%- for column in columns -%}
        {%- set name = column.name | lower -%}
        {%- if name != 'dbt_change_type' and not name.startswith('dbt_unique_key') -%}
            {%- do kept.append(column) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(kept) }}
{%- endmacro %}
