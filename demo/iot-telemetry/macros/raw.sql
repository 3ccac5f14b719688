{# The rows of a seed; with the variable `scaled_seeds`, those of the Parquet file of its name in that folder. #}
{% macro raw(name) -%}
    {%- if var('scaled_seeds', '') -%}
        {{ adapter.dispatch('parquet')(var('scaled_seeds') ~ '/' ~ name ~ '.parquet') }}
    {%- else -%}
        {{ ref(name) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__parquet(path) -%}
    read_parquet('{{ path | replace("'", "''") }}')
{%- endmacro %}

{% macro spark__parquet(path) -%}
    parquet.`{{ path }}`
{%- endmacro %}
