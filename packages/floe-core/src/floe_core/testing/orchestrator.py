"""What every orchestrator promises about what it cannot load; what it makes of a product is its engine's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import FloeError
from floe_core.plugins import OrchestratorError, OrchestratorPlugin, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 60.0  # tells a limit from a hang
NO_PRODUCTS = ("", "- a\n- b\n", "name: [", "\t", "apiVersion: other/v9\n", "a: &a [*a]\n", "\x00", "é: \u2603\n")


class OrchestratorConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.ORCHESTRATOR

    def test_an_empty_folder_is_told(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """A folder without a product raises its own error."""
        with refuses(OrchestratorError, "a folder without a product raises OrchestratorError"):
            plugin.definitions(tmp_path)

    def test_a_refusal_can_be_acted_upon(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """It names the place and says what to do."""
        error = self._refused(plugin, tmp_path)
        expect(str(tmp_path) in str(error), "the error names the folder or a file in it")
        expect(error.remedy, "the error says what to do")

    def test_no_folder_is_told(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """A folder that is not there, and a file in its place, are told like an empty one."""
        (tmp_path / "file").write_text("no folder")
        for place in ("gone", "file", "file/below"):
            self._refused(plugin, tmp_path / place)

    def test_a_broken_product_is_told(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """Whatever stands in floe.yaml, the answer is an error for people."""
        for text in NO_PRODUCTS:
            (tmp_path / "floe.yaml").write_text(text, encoding="utf-8")
            self._refused(plugin, tmp_path)

    def test_a_refusal_leaves_nothing_behind(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """The folder is as it was, and the answer is the same twice."""
        folder = tmp_path / "product"
        folder.mkdir()
        first = str(self._refused(plugin, folder))
        expect(not list(folder.iterdir()), "a refusal writes nothing into the folder")
        expect(str(self._refused(plugin, folder)) == first, "the same folder gives the same answer")

    def test_a_refusal_is_soon(self, plugin: OrchestratorPlugin[Any], tmp_path: Path) -> None:
        """It waits for no service."""
        begin = time.monotonic()
        self._refused(plugin, tmp_path)
        took = time.monotonic() - begin
        expect(took < BOUND_S, f"a refusal waits for nothing (it took {took:.1f} s)")

    @staticmethod
    def _refused(plugin: OrchestratorPlugin[Any], folder: Path) -> FloeError:
        try:
            plugin.definitions(folder)
        except FloeError as error:
            return error
        raise AssertionError(f"{folder.name} holds no product, and definitions says so")
