"""dbt's `manifest.json`, read typed and tolerant: only what floe looks at, and any other content left alone.

The schema is dbt's own, versions 4 to 12 (dbt 1.0 to 1.11). Content that is not as expected is left out where it is
optional, and refused with its place where the rest would then lie.
"""

from __future__ import annotations

import gc
import json
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES: Final = 256 * 1024 * 1024
OLDEST, NEWEST = 4, 12
_SCHEMA: Final = re.compile(r"https://schemas\.getdbt\.com/dbt/manifest/v([0-9]{1,3})(?:\.json)?\Z")


class ManifestError(Exception):
    """The text is no manifest that can be used; `place` is `line:column` or a path of keys, and may be empty."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


@dataclass(frozen=True, slots=True)
class DbtColumn:
    """A documented column: its name, and what it holds."""

    name: str
    description: str


@dataclass(slots=True)
class DbtModel:
    """A model of the project.

    Attributes:
        name: Its name.
        description: What a row is.
        columns: The documented columns, by name in lower case, since SQL does not tell the case apart.
        tags: Words to select it by.
        path: Its file, relative to the project.
        checksum: SHA-256 of the file without blanks at its ends; empty where dbt tells none.
        depends_on: Names of the project's models that it reads.
        tests: Names of the tests attached to it; a generic test of a package is `package.name`.
        config: dbt's configuration of it.
    """

    name: str
    description: str
    columns: dict[str, DbtColumn]
    tags: tuple[str, ...]
    path: str
    checksum: str
    depends_on: tuple[str, ...]
    tests: set[str]
    config: Mapping[str, Any]


@dataclass(slots=True)
class DbtManifest:
    """What dbt knows of a project.

    Attributes:
        schema_version: The number of its schema.
        dbt_version: The dbt that wrote it.
        project_name: The project.
        generated_at: When, as dbt wrote it; empty where it does not say.
        models: The project's own models by name; of several versions of a model the latest.
        sources: Names of the sources, `source.table`.
        seeds: Names of the project's seeds.
        disabled: Names of the project's models that are switched off.
    """

    schema_version: int
    dbt_version: str
    project_name: str
    generated_at: str
    models: dict[str, DbtModel] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    disabled: frozenset[str] = frozenset()


def parse(raw: bytes) -> DbtManifest:
    """The manifest in `raw`.

    Raises:
        ManifestError: It is larger than `MAX_BYTES`, no JSON, no manifest of dbt, or of a schema that is not known.
    """
    if len(raw) > MAX_BYTES:
        raise ManifestError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    with _no_collection():
        return _made(_json(raw))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's cycle collector: it would look through a tree that only grows, for half of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _made(whole: Mapping[str, Any]) -> DbtManifest:
    metadata = _mapping(whole.get("metadata"))
    match = _SCHEMA.match(_text(metadata.get("dbt_schema_version")))
    if match is None:
        raise ManifestError("it is no manifest of dbt: it does not name dbt's schema", "metadata.dbt_schema_version")
    version = int(match[1])
    if not OLDEST <= version <= NEWEST:
        raise ManifestError(
            f"its schema is v{version}, and v{OLDEST} to v{NEWEST} are known", "metadata.dbt_schema_version"
        )
    nodes = whole.get("nodes")
    if not isinstance(nodes, dict):
        raise ManifestError("it holds no nodes", "nodes")
    made = DbtManifest(
        schema_version=version,
        dbt_version=_text(metadata.get("dbt_version")),
        project_name=_text(metadata.get("project_name")),
        generated_at=_text(metadata.get("generated_at")),
        sources=tuple(sorted(_sources(whole))),
    )
    _fill(made, {key: node for key, node in nodes.items() if isinstance(node, dict)}, whole)
    return made


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        whole = json.loads(raw)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        why = "it ends in the middle, so its writer was interrupted" if cut else f"it is no JSON: {error.msg.lower()}"
        raise ManifestError(why, f"{error.lineno}:{error.colno}") from None
    except UnicodeDecodeError:
        raise ManifestError("it is not UTF-8 text") from None
    except RecursionError:
        raise ManifestError("it is nested deeper than any manifest of dbt") from None
    except ValueError as error:  # a number with more digits than Python takes
        raise ManifestError(f"it is no JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(whole, dict):
        raise ManifestError("it is no manifest of dbt: no mapping", "1:1")
    return whole


def _fill(made: DbtManifest, nodes: Mapping[str, dict[str, Any]], whole: Mapping[str, Any]) -> None:
    """Models, seeds and tests; a project whose name is not told is that of most of the models."""
    by_id: dict[str, DbtModel] = {}
    own = made.project_name or _most_common(nodes)
    made.project_name = own
    names = {key: _text(node.get("name")) for key, node in nodes.items() if _is(node, "model", own)}
    for key, name in names.items():
        model = _model(nodes[key], name, names)
        by_id[key] = model
        if name not in made.models or nodes[key].get("version") == nodes[key].get("latest_version"):
            made.models[name] = model
    for node in nodes.values():
        if node.get("resource_type") == "test":
            for key in _tested(node):
                if key in by_id:
                    by_id[key].tests.add(_test_name(node))
    made.seeds = tuple(sorted(_text(node.get("name")) for node in nodes.values() if _is(node, "seed", own)))
    switched_off = [one for group in _mapping(whole.get("disabled")).values() for one in _list(group)]
    made.disabled = frozenset(
        _text(one.get("name")) for one in switched_off if isinstance(one, dict) and _is(one, "model", own)
    )


def _model(node: Mapping[str, Any], name: str, names: Mapping[str, str]) -> DbtModel:
    checksum = _mapping(node.get("checksum"))
    columns = [one for one in _mapping(node.get("columns")).values() if isinstance(one, dict)]
    described = [DbtColumn(_text(one.get("name")), _text(one.get("description"))) for one in columns]
    read = [names[key] for key in _depends_on(node) if key in names]
    return DbtModel(
        name=name,
        description=_text(node.get("description")),
        columns={one.name.lower(): one for one in described if one.name},
        tags=tuple(_text(one) for one in _list(node.get("tags"))),
        path=_text(node.get("original_file_path")).replace("\\", "/"),
        checksum=_text(checksum.get("checksum")) if checksum.get("name") == "sha256" else "",
        depends_on=tuple(dict.fromkeys(read)),
        tests=set(),
        config=_mapping(node.get("config")),
    )


def _tested(node: Mapping[str, Any]) -> list[str]:
    """The model that a generic test is attached to; everything that a singular test reads."""
    attached = node.get("attached_node")
    return [attached] if isinstance(attached, str) else _depends_on(node)


def _test_name(node: Mapping[str, Any]) -> str:
    generic = _mapping(node.get("test_metadata"))
    if not generic:
        return _text(node.get("name"))
    package = _text(generic.get("namespace"))
    return f"{package}.{_text(generic.get('name'))}" if package else _text(generic.get("name"))


def _sources(whole: Mapping[str, Any]) -> Iterator[str]:
    for one in _mapping(whole.get("sources")).values():
        if isinstance(one, dict):
            yield f"{_text(one.get('source_name'))}.{_text(one.get('name'))}"


def _is(node: Mapping[str, Any], kind: str, package: str) -> bool:
    return node.get("resource_type") == kind and node.get("package_name") == package and bool(_text(node.get("name")))


def _most_common(nodes: Mapping[str, dict[str, Any]]) -> str:
    packages = [_text(node.get("package_name")) for node in nodes.values() if node.get("resource_type") == "model"]
    counts = Counter(sorted(packages))
    return max(counts, key=counts.__getitem__, default="")


def _depends_on(node: Mapping[str, Any]) -> list[str]:
    return [key for key in _list(_mapping(node.get("depends_on")).get("nodes")) if isinstance(key, str)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """A text that can be printed and encoded: JSON can hold half a surrogate pair, which UTF-8 cannot."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
