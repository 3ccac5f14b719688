"""Spark's own words for what a dbt profile says: where the catalog is, where its files lie, how the session counts.

Names are those of Iceberg's Spark runtime (`org.apache.iceberg.spark.SparkCatalog`, its REST client and S3FileIO).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CATALOG: Final = "ice"
"""The catalog's name in Spark. It is the default, so no table is ever named with it."""


class ViewKind(StrEnum):
    """What becomes of a model that is a view."""

    CATALOG = "catalog"
    TABLES = "tables"


def of_driver(*, master: str, memory: str, jars: str, packages: str) -> dict[str, str]:
    """What a driver is started with: nothing of it is a secret, since a process's arguments are for all to see."""
    started = {
        "spark.master": master,
        "spark.driver.memory": memory,
        "spark.jars": jars,
        "spark.jars.packages": packages,
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if master.startswith("local"):
        # Nobody else joins in, and a shuffle into Spark's usual 200 parts costs one machine more than it spares it.
        alone = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        started |= alone | {"spark.sql.shuffle.partitions": "8"}
    return {name: value for name, value in started.items() if value}


def of_session(catalog: Mapping[str, object], storage: Mapping[str, object]) -> dict[str, str]:
    """What a session is told once it is there, by us to our driver or to a server: the catalog with its secrets.

    Args:
        catalog: `uri`, `warehouse`, `client_id`, `client_secret`, `scope`, and `realm` where the server has realms.
        storage: `endpoint` and `region`, `access_key` and `secret_key` unless the provider's own chain of
            credentials is asked, `path_style`.
    """
    url = str(catalog["uri"]).rstrip("/").removesuffix("/api/catalog")
    said = {
        "": "org.apache.iceberg.spark.SparkCatalog",
        "type": "rest",
        "uri": f"{url}/api/catalog",
        "warehouse": str(catalog["warehouse"]),
        "credential": f"{catalog['client_id']}:{catalog['client_secret']}",
        "scope": str(catalog.get("scope") or ""),
        "oauth2-server-uri": f"{url}/api/catalog/v1/oauth/tokens",
        "header.Polaris-Realm": str(catalog.get("realm") or ""),
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "client.region": str(storage.get("region") or ""),
        "s3.endpoint": str(storage.get("endpoint") or ""),
        "s3.path-style-access": str(bool(storage.get("path_style", True))).lower(),
        "s3.access-key-id": str(storage.get("access_key") or ""),
        "s3.secret-access-key": str(storage.get("secret_key") or ""),
        # Another engine may write between two models: nothing is answered from memory.
        "cache-enabled": "false",
    }
    prefix = f"spark.sql.catalog.{CATALOG}"
    named = {f"{prefix}.{name}" if name else prefix: value for name, value in said.items() if value}
    return named | {
        "spark.sql.defaultCatalog": CATALOG,
        # As DuckDB counts: a bare timestamp has no zone, days are those of UTC, and what does not fit is an error.
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        "spark.sql.ansi.enabled": "true",
    }
