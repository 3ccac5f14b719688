-- One-day value at risk by historical simulation: the smallest loss l with P(L > l) <= 1 - confidence under the
-- empirical distribution of the scenarios (McNeil, Frey, Embrechts, Quantitative Risk Management, definition 2.8). Of n
-- scenarios that is the loss of rank floor(n * (1 - confidence)) + 1, the worst first: an amount that a scenario really
-- gives, never one between two. A gain is no risk: the value is at least zero. Equal losses rank by day.
with ranked as (
    select
        scope,
        scenario_on,
        pnl,
        row_number() over (partition by scope order by pnl, scenario_on) as loss_rank,
        count(*) over (partition by scope) as scenarios
    from {{ ref('int_scenario_pnl') }}
)

select
    scope,
    scenarios,
    loss_rank,
    scenario_on,
    cast(greatest(-pnl, 0) as decimal(18, 2)) as value_at_risk
from ranked
where loss_rank = {{ whole_division('scenarios * (10000 - ' ~ var('var_confidence_bp') ~ ')', '10000') }} + 1
