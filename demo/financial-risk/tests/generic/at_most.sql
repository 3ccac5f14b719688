{# Fails on every row whose value is above `maximum`; null is not above anything. #}
{% test at_most(model, column_name, maximum) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} > {{ maximum }}
{% endtest %}
