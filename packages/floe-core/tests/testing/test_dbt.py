"""The suite of dbt engines finds each breach of the contract, and nothing in one that keeps it.

The engine is a made-up one: it knows the suite's project, and each breach is one thing that it does otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import (
    DbtCommand,
    DbtNode,
    DBTPlugin,
    DbtProjectError,
    DbtRequest,
    DbtResult,
    DbtTargetError,
    NoConfig,
)
from floe_core.testing import DBTConformance

Failing = Callable[..., set[str]]
Told = Callable[[DbtNode], None] | None


class Engine(DBTPlugin[NoConfig]):
    name, version, floe_api_version = "engine", "1.0.0", "1.0"

    def engine_version(self) -> str:
        return "1.0.0"

    def run(self, request: DbtRequest, *, on_node: Told = None, on_start: Told = None) -> DbtResult:
        if not (request.project_dir / "dbt_project.yml").is_file():
            raise DbtProjectError("there is no project")
        texts = {path.stem: path.read_text() for path in sorted((request.project_dir / "models").iterdir())}
        if "ref( }}" in texts["second"]:
            raise DbtProjectError("a broken template")
        outputs = json.loads((request.profiles_dir / "profiles.yml").read_text())["conformance"]["outputs"]
        if request.target not in outputs:
            raise DbtTargetError(f"no target {request.target}", why=f"there is {', '.join(outputs)}")
        nodes = tuple(self.node(name, "no_such_column" in texts["first"]) for name in texts)
        for node in nodes:
            for tell in (on_start, on_node):
                if tell is not None:
                    tell(node)
        self.write(request)
        return DbtResult(request.command, all(node.status == "success" for node in nodes), 0.1, nodes)

    def node(self, name: str, broken: bool) -> DbtNode:
        now = datetime.now(UTC)
        if not broken:
            return DbtNode(f"model.conformance.{name}", name, "model", "success", now, now)
        status = "error" if name == "first" else "skipped"
        return DbtNode(f"model.conformance.{name}", name, "model", status, now, now, message="no_such_column")

    def write(self, request: DbtRequest) -> None:
        folder = request.target_path / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
        (request.target_path / "manifest.json").write_text(json.dumps({"nodes": {"model.conformance.first": {}}}))
        (folder / "first.sql").write_text(f"{dict(request.environment)} {dict(request.variables)}")


class Unversioned(Engine):
    def engine_version(self) -> str:
        return "unknown"


class Anywhere(Engine):
    def run(self, request: DbtRequest, *, on_node: Told = None, on_start: Told = None) -> DbtResult:
        del on_node, on_start
        return DbtResult(request.command, success=True, elapsed_s=0.1)


class Untold(Engine):
    def run(self, request: DbtRequest, *, on_node: Told = None, on_start: Told = None) -> DbtResult:
        del on_node, on_start
        return super().run(request)


class Timeless(Engine):
    def node(self, name: str, broken: bool) -> DbtNode:
        node = super().node(name, broken)
        return DbtNode(node.unique_id, name, "model", node.status, message=node.message)


class Hopeful(Engine):
    def node(self, name: str, broken: bool) -> DbtNode:
        del broken
        return super().node(name, broken=False)


class Mute(Engine):
    def node(self, name: str, broken: bool) -> DbtNode:
        node = super().node(name, broken)
        return DbtNode(node.unique_id, name, "model", node.status, node.started_at, node.finished_at)


class Leaving(Engine):
    def write(self, request: DbtRequest) -> None:
        super().write(request)
        os.environ.update(request.environment)


class Wandering(Engine):
    def write(self, request: DbtRequest) -> None:
        super().write(request)
        os.chdir(request.project_dir)


class Littering(Engine):
    def write(self, request: DbtRequest) -> None:
        super().write(request)
        (request.project_dir / "dbt.log").write_text("ran")


class Deaf(Engine):
    def write(self, request: DbtRequest) -> None:
        super().write(DbtRequest(request.command, Path(), Path(), "", request.target_path))


class AnyTarget(Engine):
    def run(self, request: DbtRequest, *, on_node: Told = None, on_start: Told = None) -> DbtResult:
        if request.target == "nowhere":
            raise DbtTargetError("no such target")
        return super().run(request, on_node=on_node, on_start=on_start)


class Crashing(Engine):
    def run(self, request: DbtRequest, *, on_node: Told = None, on_start: Told = None) -> DbtResult:
        try:
            return super().run(request, on_node=on_node, on_start=on_start)
        except DbtProjectError as error:
            raise RuntimeError("compilation error") from error


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Engine, set()),
        (Unversioned, {"it_knows_its_engine"}),
        (Anywhere, {"a_missing_project_is_told", "a_build_tells_each_node"}),
        (Untold, {"a_build_tells_each_node"}),
        (Timeless, {"a_build_tells_each_node"}),
        (Hopeful, {"a_model_that_fails_is_told_in_the_result"}),
        (Mute, {"a_model_that_fails_is_told_in_the_result"}),
        (Leaving, {"a_build_leaves_the_process_as_it_was"}),
        (Wandering, {"a_build_leaves_the_process_as_it_was"}),
        (Littering, {"a_build_leaves_the_process_as_it_was"}),
        (Deaf, {"what_a_request_sets_is_used"}),
        (AnyTarget, {"broken_templates_and_unknown_targets_are_told"}),
        (Crashing, {"a_missing_project_is_told", "broken_templates_and_unknown_targets_are_told"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, kind: type[Engine], found: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # given back after the test, whatever an engine does
    monkeypatch.setenv("FLOE_CONFORMANCE", "as before")
    failed = failing(DBTConformance, kind(NoConfig()))
    assert found <= failed
    assert bool(found) == bool(failed), failed


def test_the_output_can_be_another_engines(tmp_path: Path) -> None:
    class Suite(DBTConformance):
        def output(self, folder: Path) -> dict[str, Any]:
            return {"type": "other", "path": str(folder)}

    Suite()._request(tmp_path, DbtCommand.RUN)
    profile = json.loads((tmp_path / "profiles/profiles.yml").read_text())
    assert profile["conformance"]["outputs"] == {"duckdb": {"type": "other", "path": str(tmp_path)}}
