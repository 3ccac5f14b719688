{#
    Make the rows of `code` all the rows of a table of the catalog, in one commit. The commit is made at once: hooks that
    run "inside of the transaction" run before or after it.
#}
{% macro iceberg_replace(relation, code) -%}
    {%- set header = config.get('sql_header', none) -%}
    {%- if header is not none -%}
        {%- do run_query(header) -%}
    {%- endif -%}
    {%- if config.get('contract') and config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(code) }}
        {%- set sql = get_select_subquery(code) -%}
    {%- else -%}
        {%- set sql = code -%}
    {%- endif -%}
    {%- set describe = {'relation': config.persist_relation_docs(), 'columns': config.persist_column_docs()} -%}
    {%- set answer = adapter.replace_table(relation, sql, model, describe=describe) -%}
    {%- call noop_statement('main', answer['message'], answer['code'], answer['rows']) -%}
        {{ sql }}
    {%- endcall -%}
{%- endmacro %}

{#
    Where a Python model leaves its rows: a table of the local file. Its name is of the whole relation: models of two
    schemas with one alias may run at the same time. dbt runs Python from a materialization itself only, and not from a macro.
#}
{% macro iceberg_python_rows(relation) -%}
    {%- set name = 'dbt_py_' ~ local_md5(relation | string) -%}
    {%- set rows = api.Relation.create(
            database=target.local_database, schema='main', identifier=name, type='table') -%}
    {%- do run_query('drop table if exists ' ~ rows) -%}
    {%- do adapter.commit() -%}
    {%- do adapter.note_local(rows) -%}
    {{ return(rows) }}
{%- endmacro %}

{# The model was of the other kind before: one name is one relation. #}
{% macro iceberg_drop_namesake(relation) -%}
    {%- set other = adapter.namesake(relation) -%}
    {%- if other is not none -%}
        {%- do adapter.drop_relation(other) -%}
    {%- endif -%}
{%- endmacro %}
