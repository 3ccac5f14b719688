{# Dates and times as dbt's macros for DuckDB count them: boundaries that lie between two times, not whole spans. #}

{% macro spark_iceberg__datediff(first_date, second_date, datepart) -%}
    {%- if datepart | lower == 'day' -%}
        date_diff(cast({{ second_date }} as date), cast({{ first_date }} as date))
    {%- else -%}
        timestampdiff(
            {{ datepart }},
            date_trunc('{{ datepart }}', cast({{ first_date }} as timestamp_ntz)),
            date_trunc('{{ datepart }}', cast({{ second_date }} as timestamp_ntz))
        )
    {%- endif -%}
{%- endmacro %}

{% macro spark_iceberg__dateadd(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, {{ interval }}, cast({{ from_date_or_timestamp }} as timestamp_ntz))
{%- endmacro %}

{% macro spark_iceberg__date_trunc(datepart, date) -%}
    cast(date_trunc('{{ datepart }}', {{ date }}) as timestamp_ntz)
{%- endmacro %}

{% macro spark_iceberg__bool_or(expression) -%} bool_or({{ expression }}) {%- endmacro %}

{# Ordered where an order is given, which Spark's own aggregate cannot. #}
{% macro spark_iceberg__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {%- if limit_num -%}
        {%- do exceptions.raise_compiler_error('listagg takes no limit in this adapter') -%}
    {%- endif -%}
    listagg({{ measure }}, {{ delimiter_text }}){% if order_by_clause %} within group ({{ order_by_clause }}){% endif %}
{%- endmacro %}
