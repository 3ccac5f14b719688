{# numerator / denominator without its remainder; both are whole numbers, numerator >= 0, denominator > 0. #}
{% macro whole_division(numerator, denominator) -%}
    {{ adapter.dispatch('whole_division')(numerator, denominator) }}
{%- endmacro %}

{% macro default__whole_division(numerator, denominator) -%}
    (({{ numerator }}) // ({{ denominator }}))
{%- endmacro %}

{% macro spark__whole_division(numerator, denominator) -%}
    (({{ numerator }}) div ({{ denominator }}))
{%- endmacro %}

{# numerator / denominator to the nearest whole number, half up: decimal division would pass through a double. #}
{% macro nearest_whole(numerator, denominator) -%}
    {{ whole_division('2 * (' ~ numerator ~ ') + ' ~ denominator, '2 * (' ~ denominator ~ ')') }}
{%- endmacro %}

{# numerator in percent of denominator, to two decimals, half up; both are amounts in whole cents; null without any. #}
{% macro percent_of(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then cast(
                {{ nearest_whole('cast(' ~ numerator ~ ' * 100 as bigint) * 10000', 'cast(' ~ denominator ~ ' * 100 as bigint)') }}
                as decimal(12, 0)
            ) * cast(0.01 as decimal(3, 2))
    end
{%- endmacro %}
