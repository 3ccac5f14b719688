from __future__ import annotations

import os
import socket
import subprocess
import sysconfig
from pathlib import Path

import pytest
from polaris_standin.contract.stack import free_port

PROGRAM = Path(sysconfig.get_path("scripts")) / "polaris-standin"
GOOD = "POLARIS,root,not-a-real-secret"


def _run(*arguments: str, credentials: str | None = GOOD) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "POLARIS_BOOTSTRAP_CREDENTIALS"}
    if credentials is not None:
        environment["POLARIS_BOOTSTRAP_CREDENTIALS"] = credentials
    ports = [f"--port={free_port()}", f"--management-port={free_port()}"]
    return subprocess.run(
        [PROGRAM, *ports, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def _is_clear(result: subprocess.CompletedProcess[str]) -> bool:
    return "Traceback" not in result.stderr and "not-a-real-secret" not in result.stderr


@pytest.mark.parametrize("option", ["--port", "--management-port"])
def test_a_taken_port_is_named(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = _run(f"{option}={port}")
    assert result.returncode == 4
    assert f"127.0.0.1:{port}" in result.stderr
    assert option in result.stderr
    assert _is_clear(result)


@pytest.mark.parametrize("credentials", [None, "", "POLARIS,root", "POLARIS,,x", "a,b,c,d"])
def test_credentials_are_needed(credentials: str | None) -> None:
    result = _run(credentials=credentials)
    assert result.returncode == 2
    assert "POLARIS_BOOTSTRAP_CREDENTIALS" in result.stderr
    assert _is_clear(result)


@pytest.mark.parametrize(
    "argument", ["--port=x", "--port=0", "--management-port=70000", "--token-seconds=0", "--nonsense"]
)
def test_wrong_words_are_refused(argument: str) -> None:
    result = _run(argument)
    assert result.returncode == 2
    assert argument.split("=", maxsplit=1)[0] in result.stderr
    assert _is_clear(result)


def test_a_state_that_is_no_folder_or_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "polaris.sqlite").write_text("this is no database, and long enough to be looked at" * 20)
    for state in (file, folder):
        result = _run(f"--state={state}")
        assert result.returncode == 4
        assert str(state) in result.stderr
        assert _is_clear(result)
