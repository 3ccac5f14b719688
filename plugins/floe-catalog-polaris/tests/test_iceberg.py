"""The PyIceberg catalog's settings that need no server."""

from __future__ import annotations

from typing import Any

from floe_catalog_polaris.iceberg import PolarisRestCatalog, s3_properties
from floe_catalog_polaris.transport import Timeouts

TOLD = {"s3.endpoint": "http://floe-object-store:9000", "s3.region": "us-east-1"}


def catalog(**properties: Any) -> PolarisRestCatalog:
    """One that has asked its server nothing."""
    made = PolarisRestCatalog.__new__(PolarisRestCatalog)
    made.properties = properties
    made._timeouts = Timeouts()
    made._auth_manager = None
    return made


def test_the_clients_own_address_of_the_store_wins_over_the_servers() -> None:
    own = s3_properties(endpoint="http://127.0.0.1:9000", access_key="a", secret_key="s")  # noqa: S106 - no secret
    io = catalog(**own)._load_file_io(TOLD, "s3://bucket/table")
    assert io.properties["s3.endpoint"] == "http://127.0.0.1:9000"


def test_a_client_that_names_no_store_takes_the_servers() -> None:
    io = catalog()._load_file_io(TOLD, "s3://bucket/table")
    assert io.properties["s3.endpoint"] == TOLD["s3.endpoint"]
