{# The table of before goes last: where the view cannot be made, its rows are still there. #}
{% materialization view, adapter='duckdb_iceberg' %}
    {%- set made = materialization_view_default() -%}
    {%- do iceberg_drop_namesake(this) -%}
    {{ return(made) }}
{% endmaterialization %}
