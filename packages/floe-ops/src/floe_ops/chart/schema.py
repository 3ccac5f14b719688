"""values.yaml held against values.schema.json: each knows every key of the other, and an unknown key is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import WrongStateError

from floe_ops.chart import keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Schema = dict[str, Any]
HELM_OWN = frozenset({"global"})  # every chart may be given it
AMOUNTS = frozenset({"requests", "limits"})


def check(chart: Path) -> int:
    """Hold a chart's values, and its values files, against its schema; returns how many keys were compared.

    Raises:
        WrongStateError: They differ; every difference is named.
    """
    schema: Schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    known = keys.read(chart / "values.yaml")
    found = [*_refused(chart, schema), *_differences(chart, schema, {key.path for key in known})]
    if found:
        raise WrongStateError(
            f"values and schema of {chart.name} differ in {len(found)} places",
            where=f"{chart.name}/values.schema.json",
            why="; ".join(found),
            remedy="bring both to the same keys; every object of the schema says additionalProperties",
        )
    return len(known)


def _refused(chart: Path, schema: Schema) -> Iterator[str]:
    """What the schema says of the files: values.yaml, and each other one laid over it."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    Draft202012Validator.check_schema(schema)
    base = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    for file in sorted(chart.glob("values*.yaml")):
        values = _over(base, yaml.safe_load(file.read_text(encoding="utf-8")) or {})
        error = best_match(Draft202012Validator(schema).iter_errors(values))
        if error is not None:
            yield f"{file.name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"


def _differences(chart: Path, schema: Schema, known: set[str]) -> Iterator[str]:
    subcharts = {folder.name for folder in (chart / "charts").glob("*/")}
    described = dict(_properties(schema, schema, ""))
    for path in sorted(known):
        if path.partition(".")[0] not in subcharts and not _allowed(path, described):
            yield f"{path} is in values.yaml only"
    for path, place in described.items():
        if path.partition(".")[0] in {*subcharts, *HELM_OWN}:
            continue
        if path and path not in known and not _optional(path, known):
            yield f"{path} is in the schema only"
        if "properties" in place and place.get("additionalProperties", True) is True:
            yield f"{path or 'the whole'} takes unknown keys"


def _properties(root: Schema, place: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    place = _resolved(root, place)
    yield path, place
    for name, inner in place.get("properties", {}).items():
        yield from _properties(root, inner, f"{path}.{name}" if path else name)


def _resolved(root: Schema, place: Schema) -> Schema:
    while "$ref" in place:
        target: Any = root
        for part in str(place["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        place = {**target, **{key: value for key, value in place.items() if key != "$ref"}}
    return place


def _allowed(path: str, described: dict[str, Schema]) -> bool:
    """Whether the schema names the key, or an object above it that takes any."""
    while path:
        if path in described:
            return True
        path = path.rpartition(".")[0]
        inner = described.get(path, {})
        if path in described and inner.get("additionalProperties", True) is not False:
            return True
    return False


def _optional(path: str, known: set[str]) -> bool:
    """A key inside of what values.yaml leaves empty, such as `nodeSelector: {}`, or another of Kubernetes' amounts."""
    above = path.rpartition(".")[0]
    if above.rpartition(".")[2] in AMOUNTS:
        return True
    return bool(above) and (above in known or _optional(above, known)) and not _has_children(above, known)


def _has_children(path: str, known: set[str]) -> bool:
    return any(one.startswith(f"{path}.") for one in known)


def _over(base: Any, top: Any) -> Any:
    """As Helm lays values over values: mappings are merged, null takes away, anything else replaces."""
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    merged = {**base, **{key: _over(base.get(key), value) for key, value in top.items()}}
    return {key: value for key, value in merged.items() if not (key in top and value is None)}
