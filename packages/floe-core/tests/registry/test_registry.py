from __future__ import annotations

from collections.abc import Callable

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import PluginType
from floe_core.registry import (
    BrokenPluginError,
    DuplicatePluginError,
    IncompatiblePluginError,
    PluginConfigError,
    PluginEntry,
    PluginNotFoundError,
    Registry,
)
from floe_core.spec.secrets import SecretUnavailableError
from pydantic import SecretStr

Write = Callable[..., PluginEntry]

SOUND = """
    from floe_core.plugins import PluginConfig, QualityPlugin, QualityReport

    class Config(PluginConfig):
        limit: int = 3

    class Plugin(QualityPlugin):
        name, version, floe_api_version, config_model = "q", "1.2.3", "1.0", Config

        def evaluate(self, result):
            return QualityReport(passed=True, score=1.0, checks=self.config.limit)
"""


def test_a_sound_plugin_is_made_with_its_configuration(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", SOUND)])
    first, second = (registry.create(PluginType.QUALITY, "q", {"limit": limit}).instance for limit in (1, 2))
    assert (first.config.limit, second.config.limit) == (1, 2)
    assert first is not second


def test_nothing_is_imported_before_it_is_asked_for(plugin_module: Write) -> None:
    entry = plugin_module(PluginType.QUALITY, "q", "raise ImportError('imported')")
    registry = Registry([entry])
    assert registry.find(PluginType.QUALITY, "q") is entry
    with pytest.raises(BrokenPluginError, match="ImportError: imported"):
        registry.load(PluginType.QUALITY, "q")


def test_one_name_in_two_types_is_two_plugins(plugin_module: Write) -> None:
    entries = [plugin_module(kind, "k8s", SOUND) for kind in (PluginType.QUALITY, PluginType.SECRETS)]
    registry = Registry(entries)
    assert [registry.find(entry.type, "k8s") for entry in entries] == entries


def test_an_unknown_name_is_answered_with_the_nearest(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "great-checks", SOUND)])
    with pytest.raises(PluginNotFoundError) as caught:
        registry.find(PluginType.QUALITY, "great_cheks")
    assert caught.value.nearest == "great-checks"
    assert caught.value.why == "installed of this type: great-checks"
    assert caught.value.exit_code is ExitCode.MISSING
    with pytest.raises(PluginNotFoundError, match="none of this type"):
        registry.find(PluginType.RBAC, "k8s")


def test_two_distributions_with_one_name_are_refused(plugin_module: Write) -> None:
    entries = [plugin_module(PluginType.QUALITY, "q", SOUND) for _ in range(2)]
    with pytest.raises(DuplicatePluginError, match="uninstall floe-quality-q and install it once"):
        Registry(entries).load(PluginType.QUALITY, "q")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("(QualityPlugin)", "(object)", "no subclass of QualityPlugin"),
        ("evaluate(", "evaluat(", "does not implement evaluate"),
        ('"q", "1.2.3"', '"other", "1.2.3"', "named 'q', the class says 'other'"),
        ("name, version, floe_api_version, config_model", "name, _, floe_api_version, config_model", "its version"),
        ('"1.0", Config', '"one", Config', "not of the form"),
        ('"1.0", Config', '"1.0", int', "no PluginConfig"),
        ("class Plugin", "class Plugout", "cannot be imported"),
        ("import PluginConfig", "import NoSuchThing, PluginConfig", "cannot be imported: ImportError"),
        ("class Config", "class class", "SyntaxError"),
        ('"1.0", Config', "1, Config", "not of the form"),
        ("class Config", "raise SystemExit('bye')\n    class Config", "cannot be imported: SystemExit: bye"),
        ("class Config", "raise __import__('made_up_words').Odd\n    class Config", "ModuleNotFoundError"),
        ("def evaluate", "plugin_type = 'rbac'\n        def evaluate", "of type quality, the class says rbac"),
        ("def evaluate", "dependencies = ['storage']\n        def evaluate", "no tuple of PluginType"),
        ("def evaluate", "dependencies = ('storage',)\n        def evaluate", "no tuple of PluginType"),
    ],
)
def test_broken_plugins_say_what_is_broken(plugin_module: Write, old: str, new: str, why: str) -> None:
    assert old in SOUND
    registry = Registry([plugin_module(PluginType.QUALITY, "q", SOUND.replace(old, new))])
    with pytest.raises(BrokenPluginError, match=why) as caught:
        registry.load(PluginType.QUALITY, "q")
    assert "floe-quality-q" in str(caught.value)


@pytest.mark.parametrize(("declared", "fits"), [("1.0", True), ("1.1", False), ("2.0", False), ("0.9", False)])
def test_the_plugin_api_must_fit(plugin_module: Write, declared: str, fits: bool) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", SOUND.replace('"1.0"', f'"{declared}"'))])
    if fits:
        assert registry.load(PluginType.QUALITY, "q").floe_api_version == declared
        return
    with pytest.raises(IncompatiblePluginError, match=declared):
        registry.load(PluginType.QUALITY, "q")


def test_class_attributes_that_the_abc_demands_must_be_there(plugin_module: Write) -> None:
    body = """
        from floe_core.plugins import ComputePlugin

        class Plugin(ComputePlugin):
            name, version, floe_api_version = "c", "1.0.0", "1.0"

            def dbt_target(self, request):
                return {}
    """
    with pytest.raises(BrokenPluginError, match="adapter, lanes"):
        Registry([plugin_module(PluginType.COMPUTE, "c", body)]).load(PluginType.COMPUTE, "c")


def test_a_configuration_that_the_schema_refuses(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", SOUND)])
    with pytest.raises(PluginConfigError, match="limit") as caught:
        registry.create(PluginType.QUALITY, "q", {"limit": "many"})
    assert caught.value.validation.error_count() == 1
    assert "many" not in str(caught.value)


def test_a_setting_that_is_missing_is_refused_and_never_made_up(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", SOUND.replace("limit: int = 3", "limit: int"))])
    with pytest.raises(PluginConfigError, match="limit: Field required"):
        registry.create(PluginType.QUALITY, "q", {})


def test_a_constructor_that_fails_is_a_broken_plugin(plugin_module: Write) -> None:
    body = (
        SOUND
        + """
        def __init__(self, config):
            raise KeyError("x")
"""
    )
    registry = Registry([plugin_module(PluginType.QUALITY, "q", body)])
    with pytest.raises(BrokenPluginError, match="cannot be constructed: KeyError"):
        registry.create(PluginType.QUALITY, "q", {})


def test_a_module_that_is_not_installed_is_named(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", "import no_such_sdk.client")])
    with pytest.raises(BrokenPluginError, match="No module named 'no_such_sdk'") as caught:
        registry.load(PluginType.QUALITY, "q")
    assert caught.value.remedy == "install what provides the module no_such_sdk, or reinstall floe-quality-q whole"


def test_an_exception_that_cannot_be_printed_is_named(plugin_module: Write) -> None:
    body = "class Odd(Exception):\n    def __str__(self):\n        raise ValueError\nraise Odd\n"
    with pytest.raises(BrokenPluginError, match="cannot be imported: Odd"):
        Registry([plugin_module(PluginType.QUALITY, "q", body)]).load(PluginType.QUALITY, "q")


def test_an_interrupt_while_importing_is_not_swallowed(plugin_module: Write) -> None:
    with pytest.raises(KeyboardInterrupt):
        Registry([plugin_module(PluginType.QUALITY, "q", "raise KeyboardInterrupt")]).load(PluginType.QUALITY, "q")


def test_a_schema_that_fails_is_a_broken_plugin(plugin_module: Write) -> None:
    body = SOUND.replace(
        "limit: int = 3",
        """limit: int = 3

        def model_post_init(self, context):
            raise KeyError("x")
    """,
    )
    with pytest.raises(BrokenPluginError, match="Config fails on its configuration: KeyError"):
        Registry([plugin_module(PluginType.QUALITY, "q", body)]).create(PluginType.QUALITY, "q", {})


WITH_SECRET = SOUND.replace("limit: int = 3", "key: SecretRef").replace(
    "from floe_core.plugins", "from floe_core.spec.secrets import SecretRef\n    from floe_core.plugins", 1
)


def test_a_reference_is_looked_up_in_the_chosen_store_when_it_is_asked_for(plugin_module: Write) -> None:
    asked: list[str] = []

    def store(name: str) -> SecretStr:
        asked.append(name)
        return SecretStr("a-value")

    registry = Registry([plugin_module(PluginType.QUALITY, "q", WITH_SECRET)])
    config = {"key": {"secret": "db/key"}}  # nosec B105 - a name
    plugin = registry.create(PluginType.QUALITY, "q", config, secrets=store).instance
    assert asked == []
    key = plugin.config.key
    assert key.resolve().get_secret_value() == "a-value"
    assert asked == ["db/key"]
    assert "a-value" not in f"{plugin!r} {plugin.config!r} {plugin.config.model_dump()}"


def test_a_reference_without_a_store_says_so_when_it_is_asked_for(plugin_module: Write) -> None:
    registry = Registry([plugin_module(PluginType.QUALITY, "q", WITH_SECRET)])
    key = registry.create(PluginType.QUALITY, "q", {"key": {"secret": "db/key"}}).instance.config.key  # nosec B105 - a name
    with pytest.raises(SecretUnavailableError, match=r"plugins\.secrets"):
        key.resolve()
