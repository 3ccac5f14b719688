{# A seed is replaced in one commit, its values as exact as they are written. #}
{% materialization seed, adapter='spark_iceberg' %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do spark_iceberg_clear(load_cached_relation(this), 'table') -%}
    {%- set rows = make_temp_relation(relation, '__dbt_seed') -%}
    {%- set path = model.root_path ~ '/' ~ model.original_file_path -%}
    {%- set count = adapter.seed_view(
        rows.identifier, path, config.get('delimiter', ','), config.get('column_types') or {}
    ) -%}
    {%- call statement('main') -%}
        create or replace table {{ relation }}
        using iceberg
        {{ spark_iceberg_layout() }}
        as
        select * from {{ rows }}
    {%- endcall -%}
    {%- call statement('forget') -%}
        drop view if exists {{ rows }}
    {%- endcall -%}
    {%- do store_result('agate_table', response='OK') -%}
    {%- do store_raw_result('main', message='INSERT ' ~ count, code='INSERT', rows_affected=count) -%}
    {%- do persist_docs(relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
