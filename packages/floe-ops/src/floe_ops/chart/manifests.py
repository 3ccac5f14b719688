"""Rendered manifests held against the API schemas of every Kubernetes that the chart supports; no unknown fields.

The schemas are those that kubernetes-validate brings; its own function reads two megabytes of them for every object.
"""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import WrongStateError

from floe_ops.clients.helm import Values

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.clients.helm import Helm

OLDEST = (1, 30)
SHOWN = 10


def versions() -> tuple[str, ...]:
    """Kubernetes' minor versions from 1.30 on whose schemas are at hand, `1.30` first."""
    from kubernetes_validate import utils

    every = {tuple(int(part) for part in version.split(".")[:2]) for version in utils.all_versions()}
    return tuple(f"{major}.{minor}" for major, minor in sorted(every) if (major, minor) >= OLDEST)


def check(helm: Helm, chart: Path) -> dict[str, int]:
    """Render the chart with each of its values files for each Kubernetes, and hold every object against its schema.

    Returns:
        How many objects were held against a schema, by values file.

    Raises:
        FloeError: The chart does not render.
        WrongStateError: An object is not what its schema asks; the first ten are named.
    """
    files = sorted(chart.glob("values*.yaml"))
    work = {
        version: {file.name: helm.template("floe", chart, Values((file,)), kube_version=version) for file in files}
        for version in versions()
    }
    counted = {file.name: 0 for file in files}
    problems: list[str] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for version, results in zip(work, pool.map(_one_version, work.items()), strict=True):
            for name, (count, found) in results.items():
                counted[name] += count
                problems += [f"{name} on {version}: {one}" for one in found]
    if problems:
        raise WrongStateError(
            f"{len(problems)} manifests are not what Kubernetes asks",
            where=str(chart),
            why="; ".join(problems[:SHOWN]),
            remedy="correct the templates; `invoke helm.template` prints what they render to",
        )
    return counted


def _one_version(work: tuple[str, dict[str, str]]) -> dict[str, tuple[int, list[str]]]:
    version, rendered = work
    schemas = Schemas(version)
    return {name: problems_of(text, schemas) for name, text in rendered.items()}


def problems_of(manifests: str, schemas: Schemas) -> tuple[int, list[str]]:
    """How many objects the text holds, and what is wrong with each."""
    found = []
    documents = [one for one in yaml.load_all(manifests, Loader=_Loader) if one]
    names: set[tuple[str, ...]] = set()
    for document in documents:
        problem = schemas.problem(document)
        identity = (document.get("apiVersion", ""), document.get("kind", ""), _name(document))
        if identity in names:
            problem = problem or "it is there twice"
        names.add(identity)
        if problem:
            found.append(f"{document.get('kind')} {_name(document)}: {problem}")
    return len(documents), found


class Schemas:
    """The strict schemas of one Kubernetes minor version, `1.34`."""

    def __init__(self, version: str) -> None:
        from kubernetes_validate import utils

        whole = next(one for one in utils.all_versions() if f"{one}.".startswith(f"{version}."))
        self._folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{whole}-local-strict"
        self._validators: dict[str, Any] = {}

    def problem(self, document: dict[str, Any]) -> str:
        """What is wrong with one object; empty when nothing is."""
        from jsonschema.exceptions import best_match

        group, _, version = str(document.get("apiVersion", "")).rpartition("/")
        parts = (str(document.get("kind", "")).lower(), group.partition(".")[0], version)
        name = "-".join(part for part in parts if part)
        try:
            validator = self._validators.get(name) or self._validator(name)
        except FileNotFoundError:
            return f"this Kubernetes has no {document.get('kind')} of {document.get('apiVersion')}"
        error = best_match(validator.iter_errors(document))
        if error is None:
            return ""
        return re.sub(r"\s+", " ", f"{'.'.join(map(str, error.absolute_path))}: {error.message}")[:300]

    def _validator(self, name: str) -> Any:
        from jsonschema import Draft202012Validator
        from referencing import Resource

        schema = self._read(f"{name}.json")
        registry = Resource.from_contents(schema) @ self._definitions
        self._validators[name] = Draft202012Validator(schema, registry=registry)
        return self._validators[name]

    @cached_property
    def _definitions(self) -> Any:
        from referencing import Registry, Resource

        return Resource.from_contents(self._read("_definitions.json")) @ Registry()

    def _read(self, file: str) -> Any:
        return json.loads((self._folder / file).read_text(encoding="utf-8"))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A key that is there twice is an error: the second silently wins otherwise."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base's
        """As the base class does it."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} twice", key.start_mark)
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


def _name(document: dict[str, Any]) -> str:
    return str((document.get("metadata") or {}).get("name", ""))
