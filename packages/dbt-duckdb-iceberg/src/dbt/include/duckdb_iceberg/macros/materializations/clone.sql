{# The catalog cannot clone: a table's rows are copied, a view looks at the other relation. #}
{% materialization clone, adapter='duckdb_iceberg' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- if not defer_relation -%}
        {%- do log('No relation found in state manifest for ' ~ model.unique_id, info=True) -%}
        {{ return({'relations': []}) }}
    {%- elif existing and not flags.FULL_REFRESH -%}
        {%- do log('Relation ' ~ existing ~ ' already exists', info=True) -%}
        {{ return({'relations': []}) }}
    {%- elif adapter.is_in_catalog(this) -%}
        {%- set relation = this.incorporate(type='table') -%}
        {{ iceberg_replace(relation, 'select * from ' ~ defer_relation) }}
        {{ return({'relations': [relation]}) }}
    {%- endif -%}
    {{ return(materialization_view_duckdb_iceberg()) }}
{% endmaterialization %}
