"""What RESOLVE and VALIDATE refuse: plugins that need others, sources, destinations, products that are not taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.compilation import CompiledArtifacts, compile_product
from floe_core.compilation.graph import SHOWN
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from floe_core.spec import Problem, SpecError

Edit = Callable[[Path, str, str], None]
Make = Callable[..., PluginEntry]

LOADER = """
    from typing import Annotated, ClassVar
    from pydantic import Field, field_validator
    from floe_core.plugins import IngestionPlugin, PluginConfig, PluginType
    from floe_core.spec.secrets import SecretRef

    class Source(PluginConfig):
        rows: Annotated[int, Field(ge=1)]
        password: SecretRef | None = None

        @field_validator("rows")
        @classmethod
        def _fails(cls, rows):
            if rows == 13:
                raise RuntimeError("planted-in-a-validator")
            return rows

    class Plugin(IngestionPlugin):
        name, version, floe_api_version, tracer_name = "loader", "1.2.3", "1.0", "t"
        source_model = Source
        dependencies = ()

        def load(self, request):
            raise NotImplementedError
"""
STORE = """
    from pydantic import SecretStr
    from floe_core.plugins import PluginConfig, SecretsPlugin
    from floe_core.spec.secrets import SecretRef

    class Config(PluginConfig):
        key: SecretRef | None = None

    class Plugin(SecretsPlugin):
        name, version, floe_api_version, tracer_name = "store", "1.2.3", "1.0", "t"
        config_model = Config

        def get(self, name):
            return SecretStr(f"value of {name}")

        def names(self):
            return ()
"""


class World:
    """The example with a loader and a store among the installed plugins."""

    def __init__(self, example: Path, edit: Edit, make: Make) -> None:
        self.product, self.manifest = example / "orders" / "floe.yaml", example / "manifest.yaml"
        self.edit = edit
        entries = [make(PluginType.INGESTION, "loader", LOADER), make(PluginType.SECRETS, "store", STORE)]
        self.registry = Registry([*Registry().entries(), *entries])

    def choose(self, *lines: str) -> None:
        self.edit(
            self.manifest, "  telemetry_backend:", "".join(f"  {line}\n" for line in lines) + "  telemetry_backend:"
        )

    def add(self, text: str) -> None:
        self.product.write_text(self.product.read_text() + text)

    def compile(self) -> CompiledArtifacts:
        return compile_product(self.product.parent, registry=self.registry)

    def refused(self) -> Problem:
        with pytest.raises(SpecError) as caught:
            self.compile()
        (problem,) = caught.value.problems
        assert problem.line > 0
        assert problem.remedy
        return problem


@pytest.fixture
def world(example: Path, edit: Edit, plugin_module: Make) -> World:
    return World(example, edit, plugin_module)


SOURCE = "sources:\n  - name: crm\n    config: {rows: 5, password: {secret: crm-password}}\n"


def test_a_source_is_checked_and_kept(world: World) -> None:
    world.choose("ingestion: {type: loader}", "secrets: {type: store}")
    world.add(SOURCE)
    made = world.compile()
    assert made.sources[0].config == {"rows": 5, "password": {"secret": "crm-password"}}  # nosec B105 - a name
    assert "secret:crm-password" in made.secret_references


def test_sources_need_an_ingestion_plugin(world: World) -> None:
    world.add(SOURCE.replace("{secret: crm-password}", "{env: X}"))
    problem = world.refused()
    assert (problem.code, problem.field) == ("FLOE-E213", "sources")


@pytest.mark.parametrize(
    ("config", "code", "field"),
    [
        ("{rows: 0}", "FLOE-E214", "sources[0].config.rows"),
        ("{row: 1, rows: 1}", "FLOE-E214", "sources[0].config.row"),
        ("{}", "FLOE-E214", "sources[0].config.rows"),
        ("{rows: 13}", "FLOE-E203", "sources[0].config"),
    ],
)
def test_a_source_is_held_against_the_plugins_model(world: World, config: str, code: str, field: str) -> None:
    world.choose("ingestion: {type: loader}")
    world.add(f"sources:\n  - name: crm\n    config: {config}\n")
    if code == "FLOE-E203":
        with pytest.raises(SpecError) as caught:
            world.compile()
        (problem,) = caught.value.problems
        assert "RuntimeError" in problem.reason
        assert "planted" not in str(caught.value)
    else:
        problem = world.refused()
    assert (problem.code, problem.field) == (code, field)


DESTINATION = """destinations:
  - name: crm
    sinkType: pg
    sourceTable: gold_orders_by_day
    connectionSecretRef: {secret: pg}
"""


@pytest.mark.parametrize(("part", "field"), [(SOURCE, "sources[0]"), (DESTINATION, "destinations[0]")])
def test_a_secret_by_name_needs_a_store(world: World, part: str, field: str) -> None:
    world.choose("ingestion: {type: loader}")
    world.add(part)
    problem = world.refused()
    assert (problem.code, problem.field) == ("FLOE-E217", field)
    world.choose("secrets: {type: store}")
    world.compile()


def test_a_store_cannot_look_up_its_own_settings(world: World) -> None:
    world.choose("secrets: {type: store, config: {key: {secret: mine}}}")
    assert world.refused().code == "FLOE-E217"


def test_a_plugin_that_refers_to_a_secret_by_name_needs_a_store(world: World) -> None:
    world.edit(world.manifest, "access_key: {env: AWS_ACCESS_KEY_ID}", "access_key: {secret: key}")
    problem = world.refused()
    assert (problem.code, problem.field) == ("FLOE-E215", "plugins.storage.type")
    world.choose("secrets: {type: store}")
    assert "secret:key" in world.compile().secret_references


def test_a_plugin_gets_the_chosen_store(world: World) -> None:
    from floe_core.compilation import stages

    world.edit(world.manifest, "access_key: {env: AWS_ACCESS_KEY_ID}", "access_key: {secret: key}")
    world.choose("secrets: {type: store}")
    plugins = stages.resolve(stages.load(world.product.parent), world.registry).plugins
    config = plugins[PluginType.STORAGE].instance.config
    assert config.access_key.resolve().get_secret_value() == "value of key"
    assert list(plugins) == [kind for kind in PluginType if kind in plugins]


def test_a_plugin_that_needs_another_type_is_refused_without_it(world: World, plugin_module: Make) -> None:
    needy = LOADER.replace("dependencies = ()", "dependencies = (PluginType.IDENTITY,)").replace('"loader"', '"needy"')
    world.registry = Registry([*world.registry.entries(), plugin_module(PluginType.INGESTION, "needy", needy)])
    world.choose("ingestion: {type: needy}")
    problem = world.refused()
    assert (problem.code, problem.field) == ("FLOE-E215", "plugins.ingestion.type")
    assert "identity" in problem.remedy


def test_a_destination_sends_an_output_port(world: World) -> None:
    world.add("destinations:\n  - {name: crm, sinkType: pg, sourceTable: gold_orders_by_da}\n")
    problem = world.refused()
    assert (problem.code, problem.field, problem.nearest) == (
        "FLOE-E212",
        "destinations[0].sourceTable",
        "gold_orders_by_day",
    )


def test_a_platform_takes_the_products_that_it_lists(world: World) -> None:
    world.manifest.write_text(world.manifest.read_text() + "\napproved_products: [order]\n")
    problem = world.refused()
    assert (problem.code, problem.field, problem.nearest) == ("FLOE-E216", "metadata.name", "order")
    world.edit(world.manifest, "[order]", "[order, orders]")
    world.compile()


def test_many_wrong_names_cost_no_more_than_a_few(world: World) -> None:
    """The nearest name is looked for a few times only: for thousands it would take hours."""
    text = world.product.read_text()
    many = "".join(f"  - name: bronze_{index}\n    dependsOn: [bronce_{index}]\n" for index in range(3000))
    world.product.write_text(text.replace("schedule:", f"{many}schedule:", 1))
    with pytest.raises(SpecError) as caught:
        world.compile()
    assert len(caught.value.problems) == 3000
    assert 1 <= sum(bool(one.nearest) for one in caught.value.problems) <= SHOWN


def test_a_long_cycle_is_told_short(world: World) -> None:
    text = world.product.read_text()
    ring = "".join(f"  - name: ring_{one}\n    dependsOn: [ring_{(one + 1) % 500}]\n" for one in range(500))
    world.product.write_text(text.replace("schedule:", f"{ring}schedule:", 1))
    problem = world.refused()
    assert problem.code == "FLOE-E205"
    assert "(500 in all)" in problem.reason
    assert len(problem.reason) < 300
