-- One row per unit that a type of sensor may send in: canonical value = (value - subtract) * factor.
select
    sensor_type,
    unit,
    canonical_unit,
    subtract,
    factor,
    unit <> canonical_unit as is_converted
from {{ raw('raw_units') }}
