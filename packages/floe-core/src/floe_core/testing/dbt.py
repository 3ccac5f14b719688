"""What every dbt engine promises, on a project of three files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

from floe_core.plugins import (
    DbtCommand,
    DbtError,
    DBTPlugin,
    DbtProjectError,
    DbtRequest,
    DbtTargetError,
    Lane,
    PluginType,
)
from floe_core.testing.base import CANARY, PluginConformance
from floe_core.testing.expect import expect, refuses

TARGET = Lane.DUCKDB.value
FILES = {
    "dbt_project.yml": "name: conformance\nversion: '1.0'\nprofile: conformance\n",
    "models/first.sql": (
        "select '{{ env_var(\"FLOE_CONFORMANCE\", \"unset\") }}' as told, {{ var('amount', 1) }} as amount\n"
    ),
    "models/second.sql": "select told, amount + 1 as amount from {{ ref('first') }}\n",
}


class DBTConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.DBT

    def output(self, folder: Path) -> dict[str, Any]:
        """The profile's output that the suite builds on, in `folder`; override it for an engine without DuckDB."""
        return {"type": "duckdb", "path": str(folder / "built.duckdb"), "threads": 1}

    def test_it_knows_its_engine(self, plugin: DBTPlugin[Any]) -> None:
        """The engine has a version, the same twice."""
        version = plugin.engine_version()
        expect(version[:1].isdigit(), "engine_version is a version")
        expect(plugin.engine_version() == version, "engine_version is the same twice")

    def test_a_missing_project_is_told(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """A folder without a project raises its own error."""
        request = DbtRequest(DbtCommand.PARSE, tmp_path, tmp_path, target=TARGET, target_path=tmp_path / "target")
        with refuses(DbtProjectError, "a folder without a project raises DbtProjectError"):
            plugin.run(request)

    def test_a_build_tells_each_node(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """Each model is in the result and told as it ends, in order, with its times."""
        told: list[tuple[str, str]] = []
        result = plugin.run(
            self._request(tmp_path, DbtCommand.RUN),
            on_start=lambda node: told.append(("begins", node.name)),
            on_node=lambda node: told.append(("ends", node.name)),
        )
        expect(result.success and not result.failures, "a sound project builds")
        expect(result.command is DbtCommand.RUN and result.elapsed_s > 0, "the result tells the command and its time")
        expect([node.name for node in result.nodes] == ["first", "second"], "the result holds each node in order")
        order = [(word, name) for name in ("first", "second") for word in ("begins", "ends")]
        expect(told == order, "each node is told as it begins and as it ends, one that needs another after it")
        times = [(node.started_at, node.finished_at) for node in result.nodes]
        expect(all(begin and end and begin <= end for begin, end in times), "a node begins before it ends")

    def test_a_build_leaves_the_process_as_it_was(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """Folder, environment and project are as before, and the artifacts lie where they were asked for."""
        request = self._request(tmp_path, DbtCommand.RUN, environment={"FLOE_CONFORMANCE": CANARY})
        before = (Path.cwd(), dict(os.environ), _files(request.project_dir))
        expect(plugin.run(request).success, "a sound project builds")
        expect((Path.cwd(), dict(os.environ)) == before[:2], "a run gives back the folder and the environment")
        expect(_files(request.project_dir) == before[2], "a run changes nothing in the project")
        manifest = json.loads((request.target_path / "manifest.json").read_text(encoding="utf-8"))
        expect("model.conformance.first" in manifest["nodes"], "the manifest lies in target_path")

    def test_what_a_request_sets_is_used(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """Variables, environment and selection reach dbt."""
        request = self._request(
            tmp_path,
            DbtCommand.COMPILE,
            environment={"FLOE_CONFORMANCE": "a-setting"},
            variables={"amount": 41},
            select=("first",),
        )
        expect(plugin.run(request).success, "a sound project compiles")
        compiled = "".join(
            path.read_text(encoding="utf-8") for path in request.target_path.rglob("compiled/**/first.sql")
        )
        expect("a-setting" in compiled and "41" in compiled, "environment and variables reach the SQL")

    def test_a_model_that_fails_is_told_in_the_result(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """The database's refusal is no exception; it names the model, and what needed it is skipped."""
        request = self._request(tmp_path, DbtCommand.RUN)
        (request.project_dir / "models/first.sql").write_text("select no_such_column\n", encoding="utf-8")
        result = plugin.run(request)
        expect(not result.success, "a build with a broken model did not succeed")
        expect([node.name for node in result.failures] == ["first"], "the failure is the broken model's alone")
        expect("no_such_column" in result.failures[0].message, "the database's words are told")
        with refuses(DbtError, "raise_for_failure raises DbtError"):
            result.raise_for_failure()

    def test_broken_templates_and_unknown_targets_are_told(self, plugin: DBTPlugin[Any], tmp_path: Path) -> None:
        """Each raises its own error before anything is built."""
        request = self._request(tmp_path, DbtCommand.RUN, target="nowhere")
        try:
            plugin.run(request)
        except DbtTargetError as error:
            expect("nowhere" in str(error) and TARGET in str(error), "the error names the target and those there are")
        else:
            raise AssertionError("an unknown target raises DbtTargetError")
        broken = self._request(tmp_path, DbtCommand.PARSE)
        (broken.project_dir / "models/second.sql").write_text("select {{ ref( }}\n", encoding="utf-8")
        with refuses(DbtProjectError, "a broken template raises DbtProjectError"):
            plugin.run(broken)

    def _request(self, folder: Path, command: DbtCommand, *, target: str = TARGET, **more: Any) -> DbtRequest:
        project, profiles = folder / "project", folder / "profiles"
        for name, text in FILES.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text, encoding="utf-8")
        profiles.mkdir(exist_ok=True)
        profile = {"conformance": {"target": TARGET, "outputs": {TARGET: self.output(folder)}}}
        # JSON is YAML, so no library is needed to write it.
        (profiles / "profiles.yml").write_text(json.dumps(profile), encoding="utf-8")
        return DbtRequest(command, project, profiles, target=target, target_path=folder / "target", **more)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
