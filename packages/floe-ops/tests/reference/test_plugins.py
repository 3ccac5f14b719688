"""The page of the plugins."""

from __future__ import annotations

from floe_core import testing
from floe_core.plugins import ABCS
from floe_core.registry import Registry
from floe_ops.reference import plugins


def test_every_type_method_plugin_and_setting_is_there() -> None:
    page = plugins.page()
    registry = Registry()
    for kind, abc in ABCS.items():
        section = page.partition(f"## {kind.value}\n")[2].partition("\n## ")[0]
        for method in abc.__abstractmethods__:
            assert f"| `{method}" in section, f"{abc.__name__}.{method}"
        suite = f"{abc.__name__.removesuffix('Plugin')}Conformance"
        assert f"floe_core.testing.{suite}" in section
        assert hasattr(testing, suite), "the page names a suite that there is"
        for entry in registry.entries(kind):
            assert f"### `{entry.name}`" in section
            for setting in registry.load(kind, entry.name).config_model.model_json_schema().get("properties", {}):
                assert f"| `{setting}` |" in section, f"{entry.name}.{setting}"
