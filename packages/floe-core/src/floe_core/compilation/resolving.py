"""Finds, loads and configures the chosen plugins, and holds the product against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from floe_core.compilation.references import references
from floe_core.errors import FloeError
from floe_core.plugins.interface import PluginType
from floe_core.registry import (
    CyclicDependencyError,
    MissingDependencyError,
    PluginConfigError,
    PluginNotFoundError,
    RegistryError,
)
from floe_core.registry.dependencies import problems as dependency_problems
from floe_core.spec import problems
from floe_core.spec.explain import explain
from floe_core.spec.problems import nearest
from floe_core.spec.secrets import STORE_KEY
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from floe_core.plugins import IngestionPlugin, SecretsPlugin
    from floe_core.registry import Registry, ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest, PluginSelection
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec, SourceSpec
    from floe_core.spec.secrets import SecretStore
    from floe_core.spec.source import Loc

Plugins = dict[PluginType, "ResolvedPlugin"]


class Resolver:
    """One resolution: the plugins that were made, and the problems that were found on the way.

    Attributes:
        plugins: The chosen plugins that could be made, in the order of the manifest's types.
        sources: The checked configuration of each of the product's sources, by name.
        found: Everything that is wrong.
    """

    def __init__(self, product: Document[FloeSpec], manifest: Document[PlatformManifest], registry: Registry) -> None:
        self.plugins: Plugins = {}
        self.sources: dict[str, BaseModel] = {}
        self.found: list[Problem] = []
        self._product = product
        self._manifest = manifest
        self._registry = registry
        self._chosen = manifest.model.plugins.chosen()

    def resolve(self) -> None:
        """Do all of it; what is wrong is kept in `found`."""
        made: Plugins = {}
        # The store of secrets comes first, because the references of all others look into it.
        for name in sorted(self._chosen, key=lambda one: one != PluginType.SECRETS.value):
            self._create(PluginType(name), self._chosen[name], made)
        self.plugins = {PluginType(name): made[PluginType(name)] for name in self._chosen if PluginType(name) in made}
        self.found += self._dependencies()
        self.found += self._other_computes()
        self.found += self._load_sources()
        self.found += self._unknown_stores()

    @property
    def store(self) -> SecretStore | None:
        """Where `{secret: NAME}` is looked up; None without a secrets plugin."""
        return _store(self.plugins)

    def _create(self, kind: PluginType, selection: PluginSelection, made: Plugins) -> None:
        try:
            made[kind] = self._registry.create(kind, selection.type, selection.config, secrets=_store(made))
        except RegistryError as error:
            self.found += self._refused(kind, error)
        except FloeError as error:
            # A constructor may say in its own words what is wrong; they name no secret, by their contract.
            advice = Advice(f"{error.what}: {error.why}" if error.why else error.what, remedy=error.remedy)
            self.found.append(self._at_type(kind, problems.PLUGIN_UNUSABLE, advice))
        else:
            self.found += self._other_version(made[kind], selection)

    def _at_type(self, kind: PluginType, code: str, advice: Advice) -> Problem:
        return self._manifest.source.problem(code, ("plugins", kind.value, "type"), advice)

    def _refused(self, kind: PluginType, error: RegistryError) -> list[Problem]:
        if isinstance(error, PluginConfigError):
            base = ("plugins", kind.value, "config")
            return explain(error.validation, self._manifest.source, error.model, base=base, code=problems.PLUGIN_CONFIG)
        code = problems.PLUGIN_UNKNOWN if isinstance(error, PluginNotFoundError) else problems.PLUGIN_UNUSABLE
        return [self._at_type(kind, code, Advice(f"{error.what}: {error.why}", error.nearest, error.remedy))]

    def _other_version(self, plugin: ResolvedPlugin, selection: PluginSelection) -> Iterator[Problem]:
        entry = plugin.entry
        if selection.version is not None and selection.version != entry.version:
            advice = Advice(
                f"{entry.distribution} {entry.version} is installed",
                remedy="install that version, or correct the number",
            )
            loc = ("plugins", entry.type.value, "version")
            yield self._manifest.source.problem(problems.PLUGIN_VERSION, loc, advice)

    def _dependencies(self) -> Iterator[Problem]:
        """Types that a plugin needs and that are not chosen; one that is chosen and broken was told already."""
        for error in dependency_problems(self.plugins.values()):
            advice = Advice(f"{error.what}: {error.why}", remedy=error.remedy)
            if isinstance(error, MissingDependencyError) and error.needed.value not in self._chosen:
                yield self._at_type(error.entry.type, problems.PLUGIN_DEPENDENCY, advice)
            elif isinstance(error, CyclicDependencyError):
                yield self._at_type(error.cycle[0].type, problems.PLUGIN_DEPENDENCY, advice)

    def _other_computes(self) -> Iterator[Problem]:
        chosen = self._manifest.model.plugins.compute.type
        installed = {entry.name for entry in self._registry.entries(PluginType.COMPUTE)}
        for index, transform in enumerate(self._product.model.transforms):
            if transform.compute is not None and transform.compute != chosen:
                there = transform.compute in installed
                advice = Advice(
                    f"the manifest chooses {chosen}" if there else "no compute plugin of that name is installed",
                    nearest(transform.compute, [chosen]),
                    f"leave compute: out to use {chosen}",
                )
                loc = ("transforms", index, "compute")
                yield self._product.source.problem(problems.COMPUTE_UNAVAILABLE, loc, advice)

    def _load_sources(self) -> Iterator[Problem]:
        """Each source's configuration, held against the model of the ingestion plugin."""
        sources = self._product.model.sources
        if sources and PluginType.INGESTION.value not in self._chosen:
            advice = Advice(
                "the product has sources, and the platform chooses no ingestion plugin that loads them",
                remedy="ask for a plugin under plugins.ingestion, or remove the sources",
            )
            yield self._product.source.problem(problems.INGESTION_MISSING, ("sources",), advice, Point.HIDDEN)
        plugin = self.plugins.get(PluginType.INGESTION)
        if plugin is not None:
            for index, source in enumerate(sources):
                yield from self._load_source(plugin, index, source)

    def _load_source(self, plugin: ResolvedPlugin, index: int, source: SourceSpec) -> Iterator[Problem]:
        model = cast("IngestionPlugin[Any]", plugin.instance).source_model
        base: Loc = ("sources", index, "config")
        try:
            self.sources[source.name] = model.model_validate(source.config, context={STORE_KEY: self.store})
        except ValidationError as error:
            yield from explain(error, self._product.source, model, base=base, code=problems.SOURCE_CONFIG)
        except Exception as error:  # noqa: BLE001 - validators are the plugin's own code and can raise anything
            advice = Advice(f"{plugin.entry.name} fails on this configuration: {type(error).__name__}")
            yield self._product.source.problem(problems.PLUGIN_UNUSABLE, base, advice, Point.HIDDEN)

    def _unknown_stores(self) -> Iterator[Problem]:
        """References `{secret: NAME}` in the product, or in the store's own settings, that nobody can look up."""
        advice = Advice(
            "a secret is looked up by name, and the platform chooses no secrets plugin",
            remedy="ask for one under plugins.secrets, or write {env: NAME} or {file: PATH}",
        )
        store = self.plugins.get(PluginType.SECRETS)
        if store is not None and _named(store.instance.config):
            own = Advice(
                "the secrets plugin cannot look up its own settings", remedy="write {env: NAME} or {file: PATH}"
            )
            loc: Loc = ("plugins", PluginType.SECRETS.value, "config")
            yield self._manifest.source.problem(problems.SECRET_STORE_MISSING, loc, own, Point.HIDDEN)
        if PluginType.SECRETS.value in self._chosen:
            return
        if _named(self._manifest.model.observability):
            loc = ("observability", "tracing", "endpoint")
            yield self._manifest.source.problem(problems.SECRET_STORE_MISSING, loc, advice, Point.HIDDEN)
        parts: list[tuple[str, tuple[object, ...]]] = [
            ("sources", self._product.model.sources),
            ("destinations", self._product.model.destinations),
        ]
        for name, values in parts:
            for index, value in enumerate(values):
                if _named(value):
                    place = (name, index)
                    yield self._product.source.problem(problems.SECRET_STORE_MISSING, place, advice, Point.HIDDEN)


def _store(plugins: Plugins) -> SecretStore | None:
    plugin = plugins.get(PluginType.SECRETS)
    return cast("SecretsPlugin[Any]", plugin.instance).get if plugin else None


def _named(value: object) -> bool:
    return any(one.secret is not None for one in references(value))
