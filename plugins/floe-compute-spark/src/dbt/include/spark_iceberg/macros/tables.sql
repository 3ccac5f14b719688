{# Tables of Iceberg: made and replaced in one commit, the old rows readable until then. #}

{% macro spark_iceberg__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if language != 'sql' -%}
        {%- do exceptions.raise_compiler_error('models in Python are not built by this adapter') -%}
    {%- endif -%}
    {%- if temporary -%}
        create or replace temporary view {{ relation }} as
        {{ compiled_code }}
    {%- else -%}
        {%- if config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
            {%- set compiled_code = get_select_subquery(compiled_code) -%}
        {%- endif -%}
        create or replace table {{ relation }}
        using iceberg
        {{ spark_iceberg_layout() }}
        as
        {{ compiled_code }}
    {%- endif -%}
{%- endmacro %}

{# Partitioning and properties, in the words that every lane takes: `partition_by`, `table_properties`. #}
{% macro spark_iceberg_layout() -%}
    {%- set words = config.get('partition_by') or [] -%}
    {%- if words is string -%}{%- set words = [words] -%}{%- endif -%}
    {%- if words %}
        partitioned by ({{ words | join(', ') }})
    {%- endif %}
    {%- set properties = config.get('table_properties') or {} %}
    {%- if properties %}
        tblproperties (
        {%- for name, value in properties.items() -%}
            '{{ name }}' = '{{ value }}'{{ ', ' if not loop.last }}
        {%- endfor -%}
        )
    {%- endif %}
{%- endmacro %}

{% macro spark_iceberg__create_view_as(relation, sql) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    create or replace view {{ relation }} as
    {{ sql }}
{%- endmacro %}

{# What stands in the way: a view where a table goes, or the other way round. #}
{% macro spark_iceberg_clear(existing, kind) -%}
    {%- if existing is not none and existing.type != kind -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark_iceberg__create_schema(relation) -%}
    {%- for namespace in relation.namespaces() -%}
        {%- call statement('create_schema') -%}
            create namespace if not exists {{ namespace }}
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro %}

{% macro spark_iceberg__drop_schema(relation) -%}
    {%- for one in adapter.list_relations_without_caching(relation) -%}
        {%- do adapter.drop_relation(one) -%}
    {%- endfor -%}
    {%- call statement('drop_schema') -%}
        drop namespace if exists {{ relation.without_identifier() }}
    {%- endcall -%}
{%- endmacro %}

{# With `purge` the files go too; without it they would lie in the store for ever. #}
{% macro spark_iceberg__drop_relation(relation) -%}
    {%- call statement('drop_relation', auto_begin=False) -%}
        {%- if relation.type == 'view' -%}
            drop view if exists {{ relation }}
        {%- else -%}
            drop table if exists {{ relation }} purge
        {%- endif -%}
    {%- endcall -%}
{%- endmacro %}

{% macro spark_iceberg__get_columns_in_relation_raw(relation) -%}
    {%- call statement('get_columns_in_relation_raw', fetch_result=True) -%}
        describe {{ relation }}
    {%- endcall -%}
    {{ return(load_result('get_columns_in_relation_raw').table) }}
{%- endmacro %}

{% macro spark_iceberg__alter_relation_add_remove_columns(relation, add_columns, remove_columns) -%}
    {%- if add_columns -%}
        {%- call statement('add_columns') -%}
            alter table {{ relation }} add columns (
            {%- for column in add_columns %} {{ column.quoted }} {{ column.data_type }}{{ ',' if not loop.last }}{% endfor -%}
            )
        {%- endcall -%}
    {%- endif -%}
    {%- if remove_columns -%}
        {%- call statement('drop_columns') -%}
            alter table {{ relation }} drop columns ({{ remove_columns | map(attribute='quoted') | join(', ') }})
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark_iceberg__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- call statement('comment') -%}
            comment on table {{ relation }} is {{ spark_iceberg_text(model.description) }}
        {%- endcall -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and relation.type != 'view' -%}
        {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
        {%- for name, column in model.columns.items() if name in there and column.description -%}
            {%- call statement('comment') -%}
                alter table {{ relation }} alter column {{ adapter.quote(name) }} comment {{ spark_iceberg_text(column.description) }}
            {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro spark_iceberg_text(text) -%}
    '{{ text | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}
