{% materialization snapshot, adapter='spark_iceberg' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- do create_schema(relation) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set strategy = strategy_dispatch(config.get('strategy'))(
        model, 'snapshotted_data', 'source_data', model['config'], existing is not none
    ) -%}
    {%- if existing is none -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, relation, build_snapshot_table(strategy, model['compiled_code'])) }}
        {%- endcall -%}
    {%- else -%}
        {%- do adapter.valid_snapshot_target(
            relation, config.get('snapshot_table_column_names') or get_snapshot_table_column_names()
        ) -%}
        {%- set changes = make_temp_relation(relation, '__dbt_tmp') -%}
        {%- call statement('changes') -%}
            {{ create_table_as(True, changes, snapshot_staging_table(strategy, sql, relation)) }}
        {%- endcall -%}
        {%- set inner = ['dbt_change_type', 'dbt_unique_key'] -%}
        {%- do create_columns(
            relation, adapter.get_missing_columns(changes, relation) | rejectattr('name', 'in', inner) | list
        ) -%}
        {%- set listed = adapter.get_columns_in_relation(changes) | rejectattr('name', 'in', inner)
            | map(attribute='quoted') | list -%}
        {%- call statement('main') -%}
            {{ snapshot_merge_sql(target=relation, source=changes, insert_cols=listed) }}
        {%- endcall -%}
        {%- call statement('forget') -%}
            drop view if exists {{ changes }}
        {%- endcall -%}
    {%- endif -%}
    {%- do persist_docs(relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
