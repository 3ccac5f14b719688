"""Types as projects write them, in Spark's words."""

from __future__ import annotations

import pytest
from floe_compute_spark.types import spark_type


@pytest.mark.parametrize(
    ("written", "spark"),
    [
        ("varchar", "string"),
        ("VARCHAR(20)", "string"),
        ("integer", "int"),
        ("bigint", "bigint"),
        ("hugeint", "decimal(38,0)"),
        ("decimal(12, 2)", "decimal(12,2)"),
        ("numeric(9)", "decimal(9,0)"),
        ("decimal", "decimal(18,3)"),
        ("timestamp", "timestamp_ntz"),
        ("timestamp with time zone", "timestamp_ltz"),
        ("timestamptz", "timestamp_ltz"),
        ("date", "date"),
        ("boolean", "boolean"),
        ("double precision", "double"),
        ("varchar[]", "array<string>"),
        ("map<string,int>", "map<string,int>"),
    ],
)
def test_a_type_has_its_name_in_spark(written: str, spark: str) -> None:
    assert spark_type(written) == spark
    assert spark_type(spark_type(written)) == spark
