{# Fails when the newest value of a column is more than `days` before, or at all after, the as-of date. #}
{% test fresh_as_of(model, column_name, days) %}
    with newest as (
        select cast(max({{ column_name }}) as date) as newest_on from {{ model }}
    )

    select newest_on
    from newest
    where
        newest_on is null
        or newest_on > {{ as_of() }}
        or {{ dbt.datediff('newest_on', as_of(), 'day') }} > {{ days }}
{% endtest %}
