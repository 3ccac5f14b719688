{#
    numerator / denominator to two decimals, rounded half up, in whole numbers only: decimal division would pass
    through a double. Both are integers; numerator >= 0, denominator > 0, else the result is null.
#}
{% macro rounded_ratio(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then cast((200 * {{ numerator }} + {{ denominator }}) // (2 * {{ denominator }}) as decimal(18, 0)) * 0.01
    end
{%- endmacro %}
