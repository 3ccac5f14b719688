"""What every semantic layer plugin promises."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import (
    Lane,
    PluginType,
    SemanticLayerError,
    SemanticLayerPlugin,
    SemanticRequest,
    SemanticResult,
    TargetRequest,
)
from floe_core.spec.secrets import SecretRef
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOSTILE = ("<script>alert(1)</script>", "../../outside", "a/b", "", "x" * 300)


class SemanticLayerConformance(PluginConformance):
    """Fixtures: `plugin`, `dbt_manifest`, `secret`.

    `dbt_manifest` is a manifest of dbt with two models or more that the plugin selects; `secret` is the value behind
    each reference of the plugin's configuration.
    """

    plugin_type: ClassVar[PluginType] = PluginType.SEMANTIC_LAYER

    def test_the_same_request_gives_the_same_bytes(
        self, plugin: SemanticLayerPlugin[Any], dbt_manifest: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Two folders, and one folder twice, hold the same; every path that is told is a file of the folder."""
        one, two = tmp_path / "one", tmp_path / "two"
        first, second = _made(plugin, dbt_manifest, one), _made(plugin, dbt_manifest, two)
        expect(first.files, "there are files")
        expect(list(first.files) == sorted(first.files), "files are told in order")
        expect(all(path.is_file() and path.is_relative_to(one) for path in first.files), "each is there, in the folder")
        before = _contents(one)
        expect(before == _contents(two), "the same manifest gives the same bytes")
        expect(_made(plugin, dbt_manifest, one) == first, "the same folder gives the same result again")
        expect(_contents(one) == before, "and the same bytes")
        expect(len(second.files) == len(before), "no other file is left, such as a half-written one")

    def test_the_order_of_the_manifest_does_not_matter(
        self, plugin: SemanticLayerPlugin[Any], dbt_manifest: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Nodes in another order give the same bytes."""
        turned = {**dbt_manifest, "nodes": dict(reversed(list(dbt_manifest["nodes"].items())))}
        _made(plugin, dbt_manifest, tmp_path / "one")
        _made(plugin, turned, tmp_path / "two")
        expect(_contents(tmp_path / "one") == _contents(tmp_path / "two"), "the order of nodes leaves no trace")

    def test_what_is_stale_goes_and_what_is_foreign_stays(
        self, plugin: SemanticLayerPlugin[Any], dbt_manifest: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """A model that is gone takes its files with it; a file that somebody wrote beside them stays as it is."""
        first = _made(plugin, dbt_manifest, tmp_path)
        foreign = {folder / "by_hand.yml": "# by hand\n" for folder in {path.parent for path in first.files}}
        for path, text in foreign.items():
            path.write_text(text)
        fewer = copy.deepcopy(dict(dbt_manifest))
        del fewer["nodes"][_models(fewer)[0]]
        second = _made(plugin, fewer, tmp_path)
        gone = set(first.files) - set(second.files)
        expect(gone, "a model that is gone has no file any more")
        expect(set(second.removed) == gone, "what was removed is told")
        expect(not any(path.exists() for path in gone), "and it is removed")
        expect(all(path.read_text() == text for path, text in foreign.items()), "what is not ours is left alone")

    def test_a_hostile_name_writes_nothing(
        self, plugin: SemanticLayerPlugin[Any], dbt_manifest: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """A name that the server or a path cannot have is refused, with its file, before anything is written."""
        for number, name in enumerate(HOSTILE):
            folder = tmp_path / str(number) / "model"
            changed = copy.deepcopy(dict(dbt_manifest))
            node = changed["nodes"][_models(changed)[-1]]
            node["name"] = node["alias"] = name
            node["tags"] = [*node.get("tags", []), "marts"]
            error = _refusal(plugin, changed, folder)
            expect(error is None or error.where, "the refusal has a place")
            expect(error is not None, f"a model called {name[:40]!r} is refused")
            expect(not list((tmp_path / str(number)).rglob("*.*")), "nothing was written, inside or outside")

    def test_what_is_no_manifest_is_told(self, plugin: SemanticLayerPlugin[Any], tmp_path: Path) -> None:
        """An empty or an alien document is refused."""
        for alien in ({}, {"metadata": None}, {"metadata": {"dbt_schema_version": "x"}, "nodes": []}):
            with refuses(SemanticLayerError, f"{alien} is refused"):
                _made(plugin, alien, tmp_path)

    def test_a_file_in_the_way_is_not_overwritten(
        self, plugin: SemanticLayerPlugin[Any], dbt_manifest: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Where somebody's file has the name of one of ours, it stays and the refusal names it."""
        first = _made(plugin, dbt_manifest, tmp_path / "one").files[0].relative_to(tmp_path / "one")
        theirs = tmp_path / "two" / first
        theirs.parent.mkdir(parents=True)
        theirs.write_text("# by hand\n")
        error = _refusal(plugin, dbt_manifest, tmp_path / "two")
        expect(error is not None and first.name in str(error), "the refusal names the file")
        expect(theirs.read_text() == "# by hand\n", "the file is as it was")

    def test_a_source_of_data_holds_no_secret(self, plugin: SemanticLayerPlugin[Any], secret: str) -> None:
        """Variables have plain names; values are text, or references that are still unresolved."""
        for lane in Lane:
            try:
                variables = plugin.datasource(TargetRequest("some-product", lane))
            except SemanticLayerError:
                continue
            expect(variables, f"the lane {lane} has variables")
            expect(all(name.replace("_", "").isalnum() for name in variables), "names are those of variables")
            expect(all(isinstance(one, str | SecretRef) for one in variables.values()), "values are text or references")
            expect(secret not in f"{variables!r} {plugin.config!r}", "no secret is resolved")


def _made(plugin: SemanticLayerPlugin[Any], manifest: Mapping[str, Any], folder: Path) -> SemanticResult:
    return plugin.generate(SemanticRequest(manifest, folder))


def _refusal(plugin: SemanticLayerPlugin[Any], manifest: Mapping[str, Any], folder: Path) -> SemanticLayerError | None:
    try:
        _made(plugin, manifest, folder)
    except SemanticLayerError as error:
        return error
    return None


def _models(manifest: Mapping[str, Any]) -> list[str]:
    return sorted(key for key, node in manifest["nodes"].items() if node.get("resource_type") == "model")


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
