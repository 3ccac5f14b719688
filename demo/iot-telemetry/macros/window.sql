{# The moments between which readings are looked at: `window_days` whole days, of which the last is the as-of date. #}
{% macro window_start() -%}
    {{ midnight(1 - var('window_days')) }}
{%- endmacro %}

{% macro window_end() -%}
    {{ midnight(1) }}
{%- endmacro %}

{# The end of the first `baseline_days` of the window, in which a sensor shows what is usual for it. #}
{% macro baseline_end() -%}
    {{ midnight(1 - var('window_days') + var('baseline_days')) }}
{%- endmacro %}

{# The first moment of the day that is `days` after the as-of date, UTC. #}
{% macro midnight(days) -%}
    cast({{ dbt.dateadd('day', days, as_of()) }} as timestamp)
{%- endmacro %}
