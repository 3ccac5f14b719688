from __future__ import annotations

import os
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
import requests
from polaris_standin.contract.stack import Keys, Polaris, free_port
from polaris_standin.engines import DatabaseError
from polaris_standin.engines.postgresql import Database
from polaris_standin.starting import bootstrapped

PROGRAM = Path(sysconfig.get_path("scripts")) / "polaris-standin"
SECRET = "planted-secret"  # noqa: S105 - planted, to be looked for


@pytest.fixture
def nowhere() -> Database:
    return Database("127.0.0.1", free_port(), "polaris", "polaris", SECRET)


def test_a_database_that_never_comes_ends_the_wait_in_time(nowhere: Database) -> None:
    start = time.monotonic()
    with pytest.raises(DatabaseError, match="Connection refused"):
        bootstrapped(nowhere, "root", "s", 0.3)
    assert time.monotonic() - start < 10


def test_without_its_database_it_serves_errors_and_is_not_ready(nowhere: Database, tmp_path: Path, keys: Keys) -> None:
    with Polaris(tmp_path, keys, database=nowhere, is_awaited=False) as polaris:
        health = f"{polaris.server.management}/q/health"

        def is_up() -> bool:
            return requests.get(f"{health}/live", timeout=2).status_code == 200

        polaris.wait_for(is_up, 20)
        answer = requests.get(f"{health}/ready", timeout=10)
        assert (answer.status_code, answer.json()["status"]) == (503, "DOWN")
        form = {"grant_type": "client_credentials", "client_id": "root", "client_secret": "x", "scope": "S"}
        form["scope"] = "PRINCIPAL_ROLE:ALL"
        answer = requests.post(f"{polaris.server.api}/api/catalog/v1/oauth/tokens", data=form, timeout=10)
        assert answer.status_code == 500
        assert answer.json()["error"]["type"] == "RuntimeException"
        assert polaris.popen.poll() is None


def test_after_its_deadline_it_ends_with_4(nowhere: Database) -> None:
    ports = {"QUARKUS_HTTP_PORT": str(free_port()), "QUARKUS_MANAGEMENT_PORT": str(free_port())}
    environment = os.environ | ports
    environment |= {
        "QUARKUS_HTTP_HOST": "127.0.0.1",
        "POLARIS_BOOTSTRAP_CREDENTIALS": f"POLARIS,root,{SECRET}",
        "POLARIS_PERSISTENCE_TYPE": "relational-jdbc",
        "QUARKUS_DATASOURCE_JDBC_URL": f"jdbc:postgresql://{nowhere}",
        "QUARKUS_DATASOURCE_USERNAME": "polaris",
        "QUARKUS_DATASOURCE_PASSWORD": SECRET,
    }
    words = [str(PROGRAM), "--from-environment", "--database-seconds=1"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert f"the database {nowhere} did not answer within 1 s" in done.stderr
    assert SECRET not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unsupported_environment_ends_with_2() -> None:
    environment = os.environ | {"POLARIS_PERSISTENCE_TYPE": "nosql", "POLARIS_BOOTSTRAP_CREDENTIALS": "POLARIS,r,s"}
    words = [str(PROGRAM), "--from-environment"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "supported: in-memory, relational-jdbc" in done.stderr
    assert "Traceback" not in done.stderr
