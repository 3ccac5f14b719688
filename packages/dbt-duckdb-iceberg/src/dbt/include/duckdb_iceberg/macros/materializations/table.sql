{% materialization table, adapter='duckdb_iceberg', supported_languages=['sql', 'python'] %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if model['language'] == 'python' -%}
        {%- set built = iceberg_python_rows(relation) -%}
        {%- call statement('python', language='python') -%}
            {{ py_write_table(temporary=False, relation=built, compiled_code=compiled_code) }}
        {%- endcall -%}
        {{ iceberg_replace(relation, 'select * from ' ~ built) }}
        {%- do adapter.drop_relation(built) -%}
    {%- else -%}
        {{ iceberg_replace(relation, compiled_code) }}
    {%- endif -%}
    {%- do iceberg_drop_namesake(relation) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do apply_grants(relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
