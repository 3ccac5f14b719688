{# The day that the product describes, as a date. #}
{% macro as_of() -%}
    cast('{{ var("as_of_date") }}' as date)
{%- endmacro %}
