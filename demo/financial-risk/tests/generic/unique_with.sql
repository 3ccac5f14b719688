{# Fails on every combination of this column and those in `also`, parted by commas, that occurs twice. #}
{% test unique_with(model, column_name, also) %}
    select
        {{ column_name }},
        {{ also }}
    from {{ model }}
    group by {{ column_name }}, {{ also }}
    having count(*) > 1
{% endtest %}
