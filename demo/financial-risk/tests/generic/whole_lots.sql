{# Fails on every row whose value is not a positive multiple of `lot`: only those make whole cents of a EUR price. #}
{% test whole_lots(model, column_name, lot) %}
    select {{ column_name }}
    from {{ model }}
    where
        {{ column_name }} <= 0
        or {{ column_name }} % {{ lot }} <> 0
{% endtest %}
