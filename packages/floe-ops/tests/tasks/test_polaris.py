"""The tasks as a shell sees them: exit codes, words on stdout and stderr, never a stack trace."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from floe_ops import console
from floe_ops.tasks import namespace
from invoke.program import Program
from polaris_standin.scripted import Reply, Script, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "planted-secret"  # noqa: S105 - planted, to be looked for
CATALOG = {
    "name": "floe-e2e",
    "type": "INTERNAL",
    "properties": {"default-base-location": "s3://floe-iceberg"},
    "storageConfigInfo": {"storageType": "S3", "pathStyleAccess": True, "stsUnavailable": True},
}


@pytest.fixture(autouse=True)
def _no_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A platform that runs in this checkout is none of these tests' business."""
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    script: dict[str, Script] = {
        "GET /q/health/ready": Reply(200, {"status": "UP"}),
        "POST /api/catalog/v1/oauth/tokens": Reply(
            200,
            {"access_token": "the-token", "token_type": "bearer", "expires_in": 3600},  # nosec B105 - planted
        ),
        "GET /api/management/v1/catalogs/floe-e2e": Reply(200, CATALOG),
    }
    for name in ("FLOE_CATALOG", "FLOE_BUCKET", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "FLOE_RUN_DIR"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer(script) as running:
        monkeypatch.setenv("FLOE_POLARIS_URL", running.url)
        monkeypatch.setenv("FLOE_POLARIS_MANAGEMENT_URL", running.url)
        monkeypatch.setenv("POLARIS_CLIENT_ID", "root")
        monkeypatch.setenv("POLARIS_CLIENT_SECRET", SECRET)
        yield running


@pytest.fixture(autouse=True)
def _fresh_consoles() -> None:
    """A console keeps the stream it was made for, and pytest gives each test its own."""
    console.out.cache_clear()
    console.err.cache_clear()


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        Program(namespace=namespace()).run(["inv", *words])
    code = ended.value.code
    return code if isinstance(code, int) else 0


def code_of(*words: str) -> int:
    """0 where the program returns, else its exit code."""
    try:
        Program(namespace=namespace()).run(["inv", *words])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


@pytest.mark.parametrize("task", ["polaris-wait", "polaris.wait"])
def test_the_wait_says_what_is_ready(server: ScriptedServer, capsys: pytest.CaptureFixture[str], task: str) -> None:
    del server
    assert code_of(task) == 0
    assert "catalog floe-e2e" in capsys.readouterr().out


def test_the_result_as_json(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("polaris-wait", "--json", "--streak", "2") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["ready"], result["looks"], result["streak"]) == (True, 2, 2)
    server.script["GET /q/health/ready"] = Reply(503)
    assert run("polaris-wait", "--json", "--timeout", "0.3") == 6
    told = capsys.readouterr()
    result = json.loads(told.out)
    assert (result["ready"], result["exit_code"]) == (False, 6)
    assert "waiting for health: HTTP 503" in told.err


@pytest.mark.parametrize(
    "words",
    [
        ("polaris-wait", "--timeout", "abc"),
        ("polaris-wait", "--timeout", "-1"),
        ("polaris-wait", "--streak", "many"),
        ("polaris.bootstrap", "--timeout", "nan"),
        ("polaris.token", "--timeout", "0"),
    ],
)
def test_bad_words_end_with_2_and_without_a_stack_trace(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(*words) == 2
    told = capsys.readouterr().err
    assert words[1] in told
    assert "Traceback" not in told
    assert server.seen == []


@pytest.mark.parametrize("url", ["http://", "polaris", "http://host:0", "http://u:p@host"])
def test_a_url_that_is_none_ends_with_2(
    server: ScriptedServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    del server
    monkeypatch.setenv("FLOE_POLARIS_URL", url)
    for task in ("polaris-wait", "polaris.token", "polaris.bootstrap"):
        assert run(task) == 2
    assert "FLOE_POLARIS_URL" in capsys.readouterr().err


@pytest.mark.requirement("WU1-AC4")
def test_the_token_alone_goes_to_stdout(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    del server
    assert code_of("polaris.token") == 0
    told = capsys.readouterr()
    assert told.out == "the-token\n"
    assert SECRET not in told.err


@pytest.mark.requirement("WU1-BC4")
def test_refused_credentials_end_with_3(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.script["POST /api/catalog/v1/oauth/tokens"] = Reply(401, {"error": "unauthorized_client"})
    assert run("polaris-wait") == 3
    assert run("polaris.token") == 3
    told = capsys.readouterr().err
    assert "'root'" in told
    assert server.url in told
    assert SECRET not in told


def test_bootstrap_names_what_it_lacks(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    del server
    assert run("polaris.bootstrap") == 2
    assert "AWS_ENDPOINT_URL_S3" in capsys.readouterr().err


def test_another_catalog_can_be_waited_for(server: ScriptedServer, capsys: pytest.CaptureFixture[str]) -> None:
    other = {**CATALOG, "name": "other", "properties": {"default-base-location": "s3://x"}}
    server.script["GET /api/management/v1/catalogs/other"] = Reply(200, other)
    assert code_of("polaris-wait", "--catalog", "other") == 0
    assert run("polaris-wait", "--catalog", "other", "--location", "s3://y") == 4
    assert "base location: wanted s3://y, is s3://x" in capsys.readouterr().err


def test_nothing_listens_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the README: it ends in time, process and all, with 6 and with what to try."""
    for name in ("POLARIS_CLIENT_ID", "POLARIS_CLIENT_SECRET", "FLOE_POLARIS_MANAGEMENT_URL", "FLOE_RUN_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLOE_POLARIS_URL", "http://127.0.0.1:1")
    start = time.monotonic()
    done = subprocess.run(
        [Path(sys.executable).with_name("invoke"), "polaris-wait", "--timeout", "3"],
        cwd=Path(__file__).resolve().parents[4],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert time.monotonic() - start < 20, "3.3 s on a quiet machine; the rest is its other work"
    for words in ("connection refused", "credentials: none", "invoke platform.up"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
