"""Which dimension of quality a dbt test speaks of, by its kind.

The table holds dbt's own generic tests and those of the packages that most projects use; a kind that is not in it is a
check of validity. A platform overrides it with `dimensions`, by the name of one test or by a kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from floe_core.plugins import Dimension

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[Mapping[Dimension, frozenset[str]]] = {
    Dimension.COMPLETENESS: frozenset(
        {
            "at_least_one",
            "expect_column_values_to_not_be_null",
            "expect_table_row_count_to_be_between",
            "not_empty_string",
            "not_null",
            "not_null_proportion",
        }
    ),
    Dimension.UNIQUENESS: frozenset(
        {
            "expect_column_values_to_be_unique",
            "expect_compound_columns_to_be_unique",
            "unique",
            "unique_combination_of_columns",
        }
    ),
    Dimension.VALIDITY: frozenset(
        {
            "accepted_range",
            "accepted_values",
            "expect_column_values_to_be_between",
            "expect_column_values_to_be_in_set",
            "expect_column_values_to_match_regex",
            "expression_is_true",
            "not_accepted_values",
            "not_constant",
        }
    ),
    Dimension.CONSISTENCY: frozenset(
        {
            "cardinality_equality",
            "equal_rowcount",
            "equality",
            "fewer_rows_than",
            "mutually_exclusive_ranges",
            "relationships",
            "relationships_where",
            "sequential_values",
            "singular",
            "unit",
        }
    ),
    Dimension.FRESHNESS: frozenset({"expect_row_values_to_have_recent_data", "recency"}),
}
"""A package's tests stand under their bare names: `dbt_utils.recency` is `recency`."""

_BY_KIND = {kind: dimension for dimension, kinds in KINDS.items() for kind in kinds}


def dimension(name: str, kind: str, overrides: Mapping[str, Dimension]) -> Dimension:
    """The dimension of the test `name` of that `kind`; an override of the name goes before one of the kind."""
    bare = kind.rpartition(".")[2]
    for key in (name, kind, bare):
        if key in overrides:
            return overrides[key]
    return _BY_KIND.get(bare, Dimension.VALIDITY)
