"""The platform's tasks as people call them, in a project where nothing runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[4]
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    for name in ("toolchain", "pyproject.toml", "uv.lock", "tasks.py"):
        (tmp_path / name).symlink_to(PROJECT / name)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLOE_", "AWS_", "OTEL_"))}
    environment = kept | {"FLOE_ROOT": str(tmp_path), "FLOE_TOOLS": str(tmp_path / "tools")}

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=tmp_path,
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_status_of_nothing_is_not_ready(call: Call) -> None:
    done = call("platform.status", "--json")
    assert done.returncode == 6
    rows = json.loads(done.stdout)
    assert {row["name"]: row["state"] for row in rows} == {
        **dict.fromkeys(["s3", "polaris", "otel", "jaeger"], "down"),
        "dagster": "off",
    }
    assert "s3" in call("platform.status").stdout


def test_down_and_release_of_nothing_are_no_errors(call: Call) -> None:
    assert call("platform.down").returncode == 0
    assert call("platform.release", "--pid", "4711").returncode == 0


def test_a_report_of_nothing_says_that_nothing_runs(call: Call, tmp_path: Path) -> None:
    assert call("platform.report").returncode == 0
    rows = json.loads((tmp_path / ".floe" / "report" / "local" / "status.json").read_text())
    assert {row["state"] for row in rows} == {"down", "off"}
    done = call("platform.report", "--target", "cluster")
    assert done.returncode == 5
    assert "no cluster is in use" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("platform.release", "--pid", "all"), "--pid takes a whole number"),
        (("platform.logs", "--lines", "many"), "--lines takes a whole number"),
        (("platform.logs", "--service", "minio"), "the services are: s3, polaris, otel, jaeger"),
    ],
)
def test_words_that_cannot_be_end_with_two(call: Call, words: tuple[str, ...], said: str) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_reset_asks_first(call: Call, tmp_path: Path) -> None:
    kept = tmp_path / ".floe" / "data" / "s3"
    kept.mkdir(parents=True)
    assert call("platform.reset").returncode == 1
    assert kept.exists()
    assert call("platform.reset", "--yes").returncode == 0
    assert not kept.exists()


def test_doctor_says_what_is_to_be_built_and_how_long_it_takes(call: Call) -> None:
    done = call("platform.doctor", "--json")
    found = {row["what"]: row for row in json.loads(done.stdout)}
    assert done.returncode == (5 if any(row["state"] == "missing" for row in found.values()) else 0)
    assert found["jaeger"]["state"] == "note"
    assert "about 5 minutes" in found["jaeger"]["seen"]
    assert {"python", "git", "weed", "go", "disk", "files", "catalog", "package index"} <= set(found)


def test_doctor_ends_with_five_when_something_is_missing(call: Call, tmp_path: Path) -> None:
    done = call("platform.doctor", FLOE_POLARIS_HOME=str(tmp_path), JAVA_HOME=str(tmp_path))
    assert done.returncode == 5
    assert "✗ catalog" in done.stdout
    assert "next: install Java 21 or newer" in done.stdout


def test_a_folder_that_cannot_be_written_to_is_one_clear_error(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".floe").write_text("in the way", encoding="utf-8")
    done = call("platform.up", FLOE_TOOL_JAEGER="/bin/true", FLOE_TOOL_OTELCOL="/bin/true")
    assert done.returncode == 1
    assert "the platform's files cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_tools_and_no_way_to_build_them_is_an_error_within_seconds(call: Call, tmp_path: Path) -> None:
    done = call(
        "platform.up", PATH="/nowhere", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", UV_CACHE_DIR=str(tmp_path / "uv")
    )
    assert done.returncode == 5
    assert "Go 1." in done.stderr
    assert "install Go" in done.stderr
