{% materialization table, adapter='spark_iceberg', supported_languages=['sql'] %}
    {{ return(spark_iceberg_table()) }}
{% endmaterialization %}

{# A view in the catalog, or a table where the target says that the catalog keeps no views. #}
{% materialization view, adapter='spark_iceberg' %}
    {%- if target.views != 'catalog' -%}
        {{ return(spark_iceberg_table()) }}
    {%- endif -%}
    {%- set relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do spark_iceberg_clear(load_cached_relation(this), 'view') -%}
    {%- call statement('main') -%}
        {{ get_create_view_as_sql(relation, compiled_code) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% macro spark_iceberg_table() %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do spark_iceberg_clear(load_cached_relation(this), 'table') -%}
    {%- call statement('main') -%}
        {{ create_table_as(False, relation, compiled_code) }}
    {%- endcall -%}
    {%- do persist_docs(relation, model) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmacro %}
