{#
    numerator / denominator to two decimals, rounded half up, in whole numbers only: decimal division would pass
    through a double. Both are integers; numerator >= 0, denominator > 0, else the result is null.
#}
{% macro rounded_ratio(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then cast({{ whole_quotient('(200 * ' ~ numerator ~ ' + ' ~ denominator ~ ')', '(2 * ' ~ denominator ~ ')') }} as decimal(18, 0)) * 0.01
    end
{%- endmacro %}

{# Division of whole numbers that leaves the rest away. #}
{% macro whole_quotient(numerator, denominator) -%}
    {{ adapter.dispatch('whole_quotient')(numerator, denominator) }}
{%- endmacro %}

{% macro default__whole_quotient(numerator, denominator) -%}
    {{ numerator }} // {{ denominator }}
{%- endmacro %}

{% macro spark__whole_quotient(numerator, denominator) -%}
    {{ numerator }} div {{ denominator }}
{%- endmacro %}
