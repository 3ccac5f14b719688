{#
    The one place where money is rounded: a price a unit, turned into EUR, to four decimals, half up. Quantities are
    whole lots of a hundred, so every amount made of such prices is a whole number of cents without further rounding.
#}
{% macro in_eur(price, eur_per_unit) -%}
    cast(round({{ price }} * {{ eur_per_unit }}, 4) as decimal(18, 4))
{%- endmacro %}
