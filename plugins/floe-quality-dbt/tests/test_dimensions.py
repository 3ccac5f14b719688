"""The table of kinds."""

from __future__ import annotations

import pytest
from floe_core.plugins import Dimension
from floe_quality_dbt.dimensions import KINDS, dimension


def test_every_dimension_has_kinds_and_every_kind_one_dimension() -> None:
    assert set(KINDS) == set(Dimension)
    assert all(KINDS.values())
    assert sum(map(len, KINDS.values())) == len(frozenset.union(*KINDS.values()))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("not_null", Dimension.COMPLETENESS),
        ("unique", Dimension.UNIQUENESS),
        ("dbt_utils.unique_combination_of_columns", Dimension.UNIQUENESS),
        ("accepted_values", Dimension.VALIDITY),
        ("relationships", Dimension.CONSISTENCY),
        ("unit", Dimension.CONSISTENCY),
        ("dbt_expectations.expect_row_values_to_have_recent_data", Dimension.FRESHNESS),
        ("something_else", Dimension.VALIDITY),
    ],
)
def test_kinds_have_their_dimension(kind: str, expected: Dimension) -> None:
    assert dimension("some_test", kind, {}) is expected


def test_the_nearest_override_counts() -> None:
    overrides = {"unique": Dimension.VALIDITY, "own.unique": Dimension.FRESHNESS, "one_test": Dimension.COMPLETENESS}
    assert dimension("one_test", "own.unique", overrides) is Dimension.COMPLETENESS
    assert dimension("other", "own.unique", overrides) is Dimension.FRESHNESS
    assert dimension("other", "unique", overrides) is Dimension.VALIDITY
