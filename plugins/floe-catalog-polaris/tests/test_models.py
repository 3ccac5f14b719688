from __future__ import annotations

from typing import Any

import pytest
from floe_catalog_polaris.models import Catalog, CatalogSpec
from hypothesis import given
from hypothesis import strategies as st

SPEC = CatalogSpec("floe-e2e", "s3://floe-iceberg", endpoint="http://127.0.0.1:9000", region="us-east-1")


def served(**changes: Any) -> Catalog:
    storage = {
        "storageType": "S3",
        "endpoint": "http://127.0.0.1:9000",
        "region": "us-east-1",
        "pathStyleAccess": True,
        "stsUnavailable": True,
    }
    body = {"name": "floe-e2e", "type": "INTERNAL", "properties": {"default-base-location": "s3://floe-iceberg"}}
    storage |= {key: value for key, value in changes.items() if key in storage}
    body |= {key: value for key, value in changes.items() if key in body}
    return Catalog.model_validate({**body, "storageConfigInfo": storage})


@pytest.mark.requirement("WU1-AC1")
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "other"}, "name"),
        ({"type": "EXTERNAL"}, "type"),
        ({"storageType": "GCS"}, "storage type"),
        ({"properties": {"default-base-location": "s3://elsewhere"}}, "base location"),
        ({"properties": {}}, "base location"),
        ({"endpoint": "http://127.0.0.1:9001"}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"region": "eu-central-1"}, "region"),
        ({"pathStyleAccess": False}, "path style"),
        ({"pathStyleAccess": None}, "path style"),
        ({"stsUnavailable": None}, "STS unavailable"),
    ],
)
def test_each_field_that_differs_is_named(change: dict[str, Any], field: str) -> None:
    (difference,) = SPEC.differences(served(**change))
    assert difference.field == field
    assert "wanted" in str(difference)


def test_equal_values_have_no_difference_and_a_slash_makes_none() -> None:
    assert SPEC.differences(served()) == ()
    slash = {"default-base-location": "s3://floe-iceberg/"}
    assert SPEC.differences(served(properties=slash, endpoint="http://127.0.0.1:9000/")) == ()


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_locations_are_equal_only_by_value(wanted: str, seen: str) -> None:
    found = CatalogSpec("floe-e2e", wanted).differences(served(properties={"default-base-location": seen}))
    assert bool(found) == (wanted.rstrip("/") != seen.rstrip("/"))


def test_what_is_not_wanted_is_not_compared() -> None:
    anything = CatalogSpec("floe-e2e", None, path_style=None, sts_unavailable=None)
    assert anything.differences(served(pathStyleAccess=False, endpoint=None)) == ()
    with pytest.raises(ValueError, match="base location"):
        anything.body()
