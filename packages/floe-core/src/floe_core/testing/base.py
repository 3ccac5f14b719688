"""The contract of every plugin; the suite of each ABC adds its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from floe_core.errors import FloeError
from floe_core.plugins import ABCS, HealthStatus, PluginMetadata, PluginType
from floe_core.registry import Registry
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Mapping

HEALTH_S = 1.0
HEALTH_SLACK_S = 5.0  # the first check imports the client; a busy machine takes its time
_VERSION = re.compile(r"\d+\.\d+\.\d+\S*\Z")
# Lists what importing a module brings beyond what floe_core and pydantic bring.
_PROBE = """
import sys
import floe_core.plugins, floe_core.registry, floe_core.spec, floe_core.telemetry, opentelemetry.trace
before = {name.partition(".")[0] for name in sys.modules}
__import__(sys.argv[1])
after = {name.partition(".")[0] for name in sys.modules}
print("\\n".join(sorted(after - before - set(sys.stdlib_module_names))))
"""


class PluginConformance:
    """Inherit from the suite of your ABC and supply a fixture `plugin` with a configured instance.

    Attributes:
        plugin_type: The type; set by the suite of each ABC.
    """

    plugin_type: ClassVar[PluginType]

    def test_it_implements_the_abc(self, plugin: PluginMetadata[Any]) -> None:
        """The class is a subclass of its type's ABC."""
        abc = ABCS[self.plugin_type]
        expect(isinstance(plugin, abc), f"{type(plugin).__name__} subclasses {abc.__name__}")
        expect(plugin.plugin_type is self.plugin_type, f"its plugin_type is {self.plugin_type}")

    def test_the_registry_loads_it(self, plugin: PluginMetadata[Any]) -> None:
        """The entry point names this class, and class and distribution tell the same version."""
        registry = Registry()
        entry = registry.find(self.plugin_type, plugin.name)
        loaded = registry.load(self.plugin_type, plugin.name)
        expect(loaded is type(plugin), f"the entry point {entry.target} names the class under test")
        expect(plugin.version == entry.version, f"version is that of {entry.distribution}: {entry.version}")

    def test_its_metadata_are_whole(self, plugin: PluginMetadata[Any]) -> None:
        """Name, version and description can be shown to people."""
        expect(_VERSION.match(plugin.version), "version has the form X.Y.Z")
        expect(plugin.description, "description says in a sentence what it is")
        tracer = plugin.tracer_name
        expect(tracer is None or tracer.startswith("floe."), "tracer_name is None or begins with floe.")

    def test_its_configuration_is_strict(self, plugin: PluginMetadata[Any]) -> None:
        """The model refuses unknown fields, is frozen, and can be told as JSON Schema."""
        model = plugin.config_model
        expect(isinstance(plugin.config, model), "the instance holds a configuration of its config_model")
        with refuses(ValidationError, "an unknown field is refused"):
            model.model_validate({**plugin.config.model_dump(by_alias=True), "no_such_field": 1})
        expect(model.model_config.get("frozen"), "the configuration is frozen")
        expect(model.model_json_schema(), "the configuration has a JSON Schema")

    def test_its_configuration_survives_json(self, plugin: PluginMetadata[Any]) -> None:
        """What artifacts keep of the configuration gives the same configuration again."""
        kept: Mapping[str, Any] = plugin.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        expect(plugin.config_model.model_validate(kept) == plugin.config, "the configuration survives JSON")

    def test_its_module_is_light(self, plugin: PluginMetadata[Any]) -> None:
        """Importing the entry module brings floe_core, the standard library and its own package only."""
        entry = Registry().find(self.plugin_type, plugin.name)
        module = entry.target.partition(":")[0]
        probe = [sys.executable, "-c", _PROBE, module]
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our interpreter
        expect(done.returncode == 0, f"{module} can be imported alone: {done.stderr.strip()[-300:]}")
        foreign = [name for name in done.stdout.split() if name != module.partition(".")[0]]
        expect(not foreign, f"{module} imports {', '.join(foreign)} before it is used")

    def test_its_health_answers_in_time(self, plugin: PluginMetadata[Any]) -> None:
        """A health check gives an answer or a readable error, within its limit."""
        begin = time.monotonic()
        try:
            answer = plugin.health_check(HEALTH_S)
        except FloeError:
            answer = None
        took = time.monotonic() - begin
        expect(took < HEALTH_S + HEALTH_SLACK_S, f"health_check({HEALTH_S}) answers in time (it took {took:.1f} s)")
        expect(answer is None or isinstance(answer, HealthStatus), "health_check gives a HealthStatus")

    def test_its_life_ends_twice(self, plugin: PluginMetadata[Any]) -> None:
        """`shutdown` is safe to call twice, after `startup` and without it."""
        with plugin:
            pass
        plugin.shutdown()
