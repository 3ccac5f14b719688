"""The contract of every plugin; the suite of each ABC adds its own."""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from floe_core.plugins import ABCS, HealthState, HealthStatus, PluginMetadata, PluginType
from floe_core.registry import Registry
from floe_core.spec.secrets import SecretRef
from floe_core.testing.expect import alternatives, expect, references, refuses, secret_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

HEALTH_S = 1.0
HEALTH_SLACK_S = 5.0  # the first check imports the client; a busy machine takes its time
CANARY = "planted-canary-value"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_VERSION = re.compile(r"\d+\.\d+\.\d+\S*\Z")
# Lists what importing a module brings beyond what floe_core and pydantic bring, and the slow parts of the library.
_PROBE = """
import sys
import floe_core.plugins, floe_core.registry, floe_core.spec, floe_core.telemetry, opentelemetry.trace
before = set(sys.modules)
__import__(sys.argv[1])
new = set(sys.modules) - before
slow = {"asyncio", "email", "http.client", "ssl", "urllib.request", "xml"}
known = {name.partition(".")[0] for name in before} | set(sys.stdlib_module_names)
print(*sorted({name.partition(".")[0] for name in new} - known | new & slow), sep="\\n")
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
        """Name, version and description can be shown to people, and its dependencies are other types."""
        expect(_NAME.match(plugin.name), "a manifest can choose its name: lower-case letters, digits, - and _")
        expect(_VERSION.match(plugin.version), "version has the form X.Y.Z")
        expect(plugin.description, "description says in a sentence what it is")
        tracer = plugin.tracer_name
        expect(tracer is None or tracer.startswith("floe."), "tracer_name is None or begins with floe.")
        expect(self.plugin_type not in plugin.dependencies, "it does not depend on its own type")

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

    def test_a_literal_secret_is_refused_and_not_shown(self, plugin: PluginMetadata[Any]) -> None:
        """Where a reference belongs, its value is refused, and the refusal does not quote it."""
        kept = plugin.config.model_dump(by_alias=True)
        for name, field in plugin.config_model.model_fields.items():
            # A field that takes plain text, too, is a setting and no secret.
            if str in (kinds := alternatives(field.annotation)) or SecretRef not in kinds:
                continue
            try:
                plugin.config_model.model_validate({**kept, field.alias or name: CANARY})
            except ValidationError as error:
                expect(CANARY not in str(error), f"the refusal of a literal {name} does not quote it")
            else:
                raise AssertionError(f"a literal secret as {name} is refused")

    def test_a_secret_is_shown_nowhere(self, plugin: PluginMetadata[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither the plugin, its configuration, nor its health shows what a reference points to."""
        variables = secret_variables(plugin.config)
        for variable in variables:
            monkeypatch.setenv(variable, CANARY)
        health = self._health(plugin) if variables else None
        shown = f"{plugin!r} {plugin} {vars(plugin)!r} {plugin.config!r} {plugin.config.model_dump_json()} {health!r}"
        expect(CANARY not in shown, "a resolved secret is in no repr, no dump and no health answer")

    def test_instances_share_nothing(self, plugin: PluginMetadata[Any]) -> None:
        """Two instances of one configuration hold no list, set or dict in common."""
        one, two = (type(plugin)(plugin.config) for _ in range(2))
        for name, value in vars(one).items():
            if isinstance(value, list | dict | set):
                expect(vars(two).get(name) is not value, f"{name} belongs to one instance alone")

    def test_its_module_is_light(self, plugin: PluginMetadata[Any]) -> None:
        """Importing the entry module brings floe_core, quick parts of the library and its own package only."""
        entry = Registry().find(self.plugin_type, plugin.name)
        module = entry.target.partition(":")[0]
        probe = [sys.executable, "-c", _PROBE, module]
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our interpreter
        expect(done.returncode == 0, f"{module} can be imported alone: {done.stderr.strip()[-300:]}")
        foreign = [name for name in done.stdout.split() if name != module.partition(".")[0]]
        expect(not foreign, f"{module} imports {', '.join(foreign)} before it is used")

    def test_its_health_answers_in_time(self, plugin: PluginMetadata[Any]) -> None:
        """A health check gives an answer within its limit, in words, and never raises."""
        answer = self._health(plugin)
        expect(answer.state is HealthState.HEALTHY or answer.message, "an answer that is not healthy says why")

    def test_its_health_answers_without_secrets(
        self, plugin: PluginMetadata[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where references point to nothing, the answer says so; it does not raise."""
        variables = [one.env for one in references(plugin.config) if one.env is not None]
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
        if variables:
            self._health(plugin)

    def test_its_life_ends_twice(self, plugin: PluginMetadata[Any]) -> None:
        """`shutdown` is safe to call twice, after `startup` and without it."""
        plugin.shutdown()
        with plugin:
            pass
        plugin.shutdown()

    @staticmethod
    def _health(plugin: PluginMetadata[Any]) -> HealthStatus:
        """The answer of the health check, asked in a thread that is left behind when it hangs."""
        answers: queue.SimpleQueue[object] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(plugin.health_check(HEALTH_S))
            except BaseException as error:  # noqa: BLE001 - told below, in the thread of the test
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=HEALTH_S + HEALTH_SLACK_S)
        except queue.Empty:
            raise AssertionError(f"health_check({HEALTH_S:g}) answers in time") from None
        if isinstance(answer, HealthStatus):
            return answer
        cause = answer if isinstance(answer, BaseException) else None
        did = "raise" if cause is not None else "give"
        raise AssertionError(
            f"health_check gives a HealthStatus, and does not {did} {type(answer).__name__}"
        ) from cause
