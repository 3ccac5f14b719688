from __future__ import annotations

import pytest
from polaris_standin.engines.postgresql import Database
from polaris_standin.environment import SettingError, Settings, read

JDBC = {
    "POLARIS_PERSISTENCE_TYPE": "relational-jdbc",
    "QUARKUS_DATASOURCE_JDBC_URL": "jdbc:postgresql://floe-postgresql:5433/polaris",
    "QUARKUS_DATASOURCE_USERNAME": "polaris",
    "QUARKUS_DATASOURCE_PASSWORD": "planted-secret",  # nosec B105 - planted, to be looked for
}


def test_an_empty_environment_is_a_server_in_memory_for_all_addresses() -> None:
    assert read({}) == read({"QUARKUS_HTTP_PORT": "", "POLARIS_PERSISTENCE_TYPE": "in-memory"})
    assert read({}) == Settings("0.0.0.0", 8181, 8182, None)  # noqa: S104 # nosec B104 - what is wanted


def test_ports_and_database_as_the_real_server_takes_them() -> None:
    found = read({"QUARKUS_HTTP_HOST": "::", "QUARKUS_HTTP_PORT": "80", "QUARKUS_MANAGEMENT_PORT": "81", **JDBC})
    assert (found.host, found.port, found.management_port) == ("::", 80, 81)
    assert found.database == Database("floe-postgresql", 5433, "polaris", "polaris", "planted-secret")
    assert "planted-secret" not in repr(found)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("jdbc:postgresql://h/d", "h:5432/d"),
        ("jdbc:postgresql://127.0.0.1:1/a%20b", "127.0.0.1:1/a b"),
        ("jdbc:postgresql://[::1]:5433/d", "::1:5433/d"),
    ],
)
def test_a_jdbc_url_names_host_port_and_database(url: str, place: str) -> None:
    assert str(read(JDBC | {"QUARKUS_DATASOURCE_JDBC_URL": url}).database) == place


@pytest.mark.parametrize(
    ("name", "value", "supported"),
    [
        ("POLARIS_PERSISTENCE_TYPE", "eclipse-link", "supported: in-memory, relational-jdbc"),
        ("QUARKUS_HTTP_PORT", "0", "supported: a port from 1 to 65535"),
        ("QUARKUS_MANAGEMENT_PORT", "http", "supported: a port from 1 to 65535"),
        ("QUARKUS_DATASOURCE_PASSWORD", "", "not set: QUARKUS_DATASOURCE_PASSWORD"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:mysql://h/d", "jdbc:postgresql://host:port/database"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql:d", "jdbc:postgresql://host:port/database"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql://h:x/d", "jdbc:postgresql://host:port/database"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql://h:1", "jdbc:postgresql://host:port/database"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql://a:1,b:2/d", "jdbc:postgresql://host:port/database"),
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql://u:planted-secret@h/d", "without user and options"),  # nosec B105 - planted
        ("QUARKUS_DATASOURCE_JDBC_URL", "jdbc:postgresql://h/d?password=planted-secret", "without user and options"),
    ],
)
def test_what_is_not_supported_is_told_with_what_is(name: str, value: str, supported: str) -> None:
    with pytest.raises(SettingError) as caught:
        read(JDBC | {name: value})
    assert name in str(caught.value)
    assert supported in str(caught.value)
    assert "planted-secret" not in str(caught.value)
