{% materialization view, adapter='duckdb_iceberg' %}
    {%- do iceberg_drop_namesake(this) -%}
    {{ return(materialization_view_default()) }}
{% endmaterialization %}
