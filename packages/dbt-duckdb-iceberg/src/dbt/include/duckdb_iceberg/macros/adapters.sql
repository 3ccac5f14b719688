{# Temporary tables are cast to what the catalog's tables can hold, so that their columns compare equal. #}
{% macro duckdb_iceberg__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- if language == 'sql' and (temporary or adapter.is_in_catalog(relation)) -%}
        {%- set header = config.get('sql_header', none) -%}
        {%- if config.get('contract') and config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
        {%- endif -%}
        {{ header if header is not none }}
        create {{ 'temporary' if temporary }} table {{ relation.include(database=(not temporary), schema=(not temporary)) }} as (
            {{ adapter.storable_select(compiled_code) }}
        );
    {%- else -%}
        {%- do adapter.note_local(relation) if not temporary -%}
        {{ duckdb__create_table_as(temporary, relation, compiled_code, language) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb_iceberg__create_view_as(relation, sql) -%}
    {%- do adapter.note_local(relation.incorporate(type='view')) -%}
    {{ duckdb__create_view_as(relation, sql) }}
{%- endmacro %}

{# Widening, the one change of a type that Iceberg allows. #}
{% macro duckdb_iceberg__alter_column_type(relation, column_name, new_column_type) -%}
    {%- call statement('alter_column_type') -%}
        alter table {{ relation }} alter column {{ adapter.quote(column_name) }} set data type {{ new_column_type }}
    {%- endcall -%}
{%- endmacro %}

{% macro duckdb_iceberg__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if adapter.is_in_catalog(relation) -%}
        {%- set docs = {} -%}
        {%- if for_columns and config.persist_column_docs() -%}
            {%- for name, column in model.columns.items() -%}
                {%- do docs.update({name: column.description}) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- set comment = model.description if for_relation and config.persist_relation_docs() else none -%}
        {%- if comment or docs -%}
            {%- do adapter.describe_table(relation, comment, docs) -%}
        {%- endif -%}
    {%- else -%}
        {{ default__persist_docs(relation, model, for_relation, for_columns) }}
    {%- endif -%}
{%- endmacro %}
