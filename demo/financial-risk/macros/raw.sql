{#
    Where the rows of a seed come from: the seed itself, or `<name>.parquet` in the folder that the variable
    `scaled_seeds` names, as `generate_seeds.py --scale` writes it.
#}
{% macro raw(name) -%}
    {%- if var('scaled_seeds', none) -%}
        read_parquet('{{ var("scaled_seeds") }}/{{ name }}.parquet')
    {%- else -%}
        {{ ref(name) }}
    {%- endif -%}
{%- endmacro %}
