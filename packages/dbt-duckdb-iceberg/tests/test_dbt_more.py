"""Those of dbt's further suites that an Iceberg catalog has an answer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dbt.tests.adapter.constraints.test_constraints import BaseConstraintsRollback, BaseIncrementalConstraintsRollback
from dbt.tests.adapter.dbt_show.test_dbt_show import BaseShowLimit
from dbt.tests.adapter.incremental.test_incremental_merge_exclude_columns import BaseMergeExcludeColumns
from dbt.tests.adapter.incremental.test_incremental_on_schema_change import BaseIncrementalOnSchemaChange
from dbt.tests.adapter.incremental.test_incremental_predicates import BaseIncrementalPredicates
from dbt.tests.adapter.store_test_failures_tests.basic import StoreTestFailuresAsGeneric
from dbt.tests.adapter.unit_testing.test_case_insensitivity import BaseUnitTestCaseInsensivity

if TYPE_CHECKING:
    from collections.abc import Sequence


class TestIncrementalOnSchemaChange(BaseIncrementalOnSchemaChange):
    pass


class TestPredicatesDeleteInsert(BaseIncrementalPredicates):
    pass


class TestPredicatesMerge(BaseIncrementalPredicates):
    @pytest.fixture(scope="class")
    @classmethod
    def project_config_update(cls) -> dict[str, Any]:
        predicates = ["dbt_internal_dest.id != 2"]
        return {"models": {"+incremental_predicates": predicates, "+incremental_strategy": "merge"}}


class TestMergeExcludeColumns(BaseMergeExcludeColumns):
    pass


class _NotNull:
    @pytest.fixture(scope="class")
    @classmethod
    def expected_error_messages(cls) -> Sequence[str]:
        return ["NOT NULL constraint failed"]


class TestTableConstraintsRollback(_NotNull, BaseConstraintsRollback):
    pass


class TestIncrementalConstraintsRollback(_NotNull, BaseIncrementalConstraintsRollback):
    pass


class TestShowLimit(BaseShowLimit):
    pass


class TestUnitTestCaseInsensitivity(BaseUnitTestCaseInsensivity):
    pass


class TestStoreFailures(StoreTestFailuresAsGeneric):
    pass
