{#
    Make the rows of `code` all the rows of a table of the catalog, in one commit. The commit is made at once: hooks that
    run "inside of the transaction" run before or after it.
#}
{% macro iceberg_replace(relation, code, language='sql') -%}
    {%- set header = config.get('sql_header', none) -%}
    {%- if header is not none and language == 'sql' -%}
        {%- do run_query(header) -%}
    {%- endif -%}
    {%- if language == 'python' -%}
        {%- set built = iceberg_run_python(relation, code) -%}
        {%- set sql = 'select * from ' ~ built -%}
    {%- elif config.get('contract') and config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(code) }}
        {%- set sql = get_select_subquery(code) -%}
    {%- else -%}
        {%- set sql = code -%}
    {%- endif -%}
    {%- set describe = {'relation': config.persist_relation_docs(), 'columns': config.persist_column_docs()} -%}
    {%- set answer = adapter.replace_table(relation, sql, model, describe=describe) -%}
    {%- if built is defined -%}
        {%- do adapter.drop_relation(built) -%}
    {%- endif -%}
    {%- call noop_statement('main', answer['message'], answer['code'], answer['rows']) -%}
        {{ sql }}
    {%- endcall -%}
{%- endmacro %}

{# A Python model leaves its rows in a table of the local file, which is the relation that is returned. #}
{% macro iceberg_run_python(relation, code) -%}
    {%- set built = api.Relation.create(
            database=target.local_database, schema='main', identifier=relation.identifier ~ '__dbt_py', type='table') -%}
    {%- do run_query('drop table if exists ' ~ built) -%}
    {%- do adapter.commit() -%}
    {%- call statement('python', language='python') -%}
        {{ py_write_table(temporary=False, relation=built, compiled_code=code) }}
    {%- endcall -%}
    {%- do adapter.note_local(built) -%}
    {{ return(built) }}
{%- endmacro %}

{# The model was of the other kind before: one name is one relation. #}
{% macro iceberg_drop_namesake(relation) -%}
    {%- set other = adapter.namesake(relation) -%}
    {%- if other is not none -%}
        {%- do adapter.drop_relation(other) -%}
    {%- endif -%}
{%- endmacro %}
