"""What is written beside dbt: the same content, whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from floe_core.plugins import DbtCommand
from floe_dbt_core import artifacts
from floe_dbt_core.runner import arguments

if TYPE_CHECKING:
    from pathlib import Path

    from floe_dbt_core.plugin import DBTCorePlugin

    from tests.conftest import Tiny


def timeless(value: Any) -> Any:
    """Without what differs between two commands."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if not key.endswith(("_at", "invocation_id"))}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def test_the_manifest_is_as_dbt_itself_writes_it(
    plugin: DBTCorePlugin, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = tiny.request(DbtCommand.PARSE)
    plugin.run(request).raise_for_failure()
    for name, value in request.environment.items():
        monkeypatch.setenv(name, value)
    words = [word for word in arguments(request) if word != "--no-write-json"]
    theirs = tmp_path / "theirs"
    logs = ["--log-path", str(tmp_path / "logs"), "--no-send-anonymous-usage-stats"]
    assert dbtRunner().invoke([*words, "--target-path", str(theirs), *logs]).success
    for name in ("manifest.json", "semantic_manifest.json"):
        mine, other = (json.loads((folder / name).read_text()) for folder in (tiny.target_path, theirs))
        assert timeless(mine) == timeless(other)
    assert len(mine) > 1


def test_after_a_run_the_manifest_has_the_sql_and_the_results_are_kept(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    plugin.run(tiny.request(DbtCommand.SEED)).raise_for_failure()
    assert not (tiny.target_path / "run_results.json").exists()
    plugin.run(tiny.request(DbtCommand.RUN)).raise_for_failure()
    nodes = json.loads((tiny.target_path / "manifest.json").read_text())["nodes"]
    assert "raw_orders" in nodes["model.tiny.orders"]["compiled_code"]
    results = json.loads((tiny.target_path / "run_results.json").read_text())["results"]
    assert [one["unique_id"] for one in results] == ["model.tiny.orders", "model.tiny.totals"]


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"vars": {}, "invocation_command": "dbt run"}
    results = RunExecutionResult(results=[], elapsed_time=1.0, args=asked)
    artifacts.keep_results(results, tmp_path)
    before = (tmp_path / "run_results.json").read_text()
    assert json.loads(before)["elapsed_time"] == 1.0
    results.args["odd"] = object()
    with pytest.raises(TypeError):
        artifacts.keep_results(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["run_results.json"]
    assert (tmp_path / "run_results.json").read_text() == before


def test_a_command_without_results_writes_none(tmp_path: Path) -> None:
    artifacts.keep_results(None, tmp_path)
    assert not list(tmp_path.iterdir())
