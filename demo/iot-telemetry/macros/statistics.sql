{# The middle value: half of all values are at most as great. One of the values themselves, so decimals stay exact. #}
{% macro middle(values) -%}
    {{ adapter.dispatch('middle')(values) }}
{%- endmacro %}

{% macro default__middle(values) -%}
    cast(quantile_disc({{ values }}, 0.5) as decimal(12, 3))
{%- endmacro %}

{% macro spark__middle(values) -%}
    cast(percentile_disc(0.5) within group (order by {{ values }}) as decimal(12, 3))
{%- endmacro %}

{#
    The modified z-score 0.6745 * |deviation| / MAD to two decimals (Iglewicz and Hoaglin, "How to Detect and Handle
    Outliers", ASQC 1993, who call a score above 3.5 an outlier). Both arguments have three decimals; `mad` > 0.
#}
{% macro modified_z_score(deviation, mad) -%}
    {{ rounded_ratio(
        '(6745 * cast(abs(' ~ deviation ~ ') * 1000 as bigint))', '(10000 * cast(' ~ mad ~ ' * 1000 as bigint))'
    ) }}
{%- endmacro %}
