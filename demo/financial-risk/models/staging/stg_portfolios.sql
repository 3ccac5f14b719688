-- One row per portfolio.
select
    portfolio_id,
    portfolio_name,
    desk
from {{ raw('raw_portfolios') }}
