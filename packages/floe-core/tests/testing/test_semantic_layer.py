"""The suite of semantic layers finds each breach of the contract, and nothing in a layer that keeps it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from floe_core.plugins import (
    NoConfig,
    PluginConfig,
    SemanticLayerError,
    SemanticLayerPlugin,
    SemanticRequest,
    SemanticResult,
    TargetRequest,
)
from floe_core.spec.secrets import SecretRef
from floe_core.testing import SemanticLayerConformance

Failing = Callable[..., set[str]]
SECRET = "s3cret-behind-a-reference"  # noqa: S105 - planted
MARK = '"ours"'
COUNTER = count()


class Layer(SemanticLayerPlugin[NoConfig]):
    """One JSON file a model."""

    name, version, floe_api_version = "layer", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = NoConfig

    def generate(self, request: SemanticRequest) -> SemanticResult:
        texts = self.texts(request.dbt_manifest)
        wanted = {request.output_dir / f"{name}.yml": text for name, text in texts.items()}
        self.check(wanted)
        request.output_dir.mkdir(parents=True, exist_ok=True)
        stale = [path for path in sorted(request.output_dir.glob("*.yml")) if self.is_stale(path, wanted)]
        for path, text in wanted.items():
            path.write_text(text)
        for path in stale:
            path.unlink()
        return SemanticResult(tuple(sorted(wanted)), tuple(stale))

    def texts(self, manifest: Mapping[str, Any]) -> dict[str, str]:
        if not isinstance(manifest.get("nodes"), dict):
            raise SemanticLayerError("no manifest")
        names = sorted(str(node["name"]) for node in manifest["nodes"].values())
        for name in names:
            self.check_name(name)
        return {name: json.dumps([MARK, name]) for name in names}

    def check_name(self, name: str) -> None:
        if not re.fullmatch(r"\w{1,99}", name):
            raise SemanticLayerError("a bad name", where=f"model {name}")

    def check(self, wanted: Mapping[Path, str]) -> None:
        for path in wanted:
            if path.exists() and json.dumps(MARK) not in path.read_text():
                raise SemanticLayerError(f"{path.name} is in the way")

    def is_stale(self, path: Path, wanted: Mapping[Path, str]) -> bool:
        return path not in wanted and json.dumps(MARK) in path.read_text()

    def datasource(self, _request: TargetRequest) -> Mapping[str, str | SecretRef]:
        return {"DB_SECRET": SecretRef(env="DB_SECRET")}


class Counting(Layer):
    def texts(self, manifest: Mapping[str, Any]) -> dict[str, str]:
        return {name: f"{text}{next(COUNTER)}" for name, text in super().texts(manifest).items()}


class Ordered(Layer):
    def texts(self, manifest: Mapping[str, Any]) -> dict[str, str]:
        first = next(iter(manifest["nodes"].values()))["name"] if manifest.get("nodes") else ""
        return {name: f"{text}{first}" for name, text in super().texts(manifest).items()}


class Hoarding(Layer):
    def is_stale(self, _path: Path, _wanted: Mapping[Path, str]) -> bool:
        return False


class Greedy(Layer):
    def is_stale(self, path: Path, wanted: Mapping[Path, str]) -> bool:
        return path not in wanted


class Trusting(Layer):
    def check_name(self, name: str) -> None:
        if "/" in name:
            raise SemanticLayerError("a path", where=name)


class Placeless(Layer):
    def check_name(self, name: str) -> None:
        if not re.fullmatch(r"\w{1,99}", name):
            raise SemanticLayerError("a bad name")


class Overwriting(Layer):
    def check(self, _wanted: Mapping[Path, str]) -> None:
        return


class Anything(Layer):
    def texts(self, manifest: Mapping[str, Any]) -> dict[str, str]:
        return super().texts(manifest) if isinstance(manifest.get("nodes"), dict) else {}


class Telling(Layer):
    def datasource(self, _request: TargetRequest) -> Mapping[str, str | SecretRef]:
        return {"DB_SECRET": SECRET}


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Layer, set()),
        (Counting, {"the_same_request_gives_the_same_bytes", "the_order_of_the_manifest_does_not_matter"}),
        (Ordered, {"the_order_of_the_manifest_does_not_matter"}),
        (Hoarding, {"what_is_stale_goes_and_what_is_foreign_stays"}),
        (Greedy, {"what_is_stale_goes_and_what_is_foreign_stays"}),
        (Trusting, {"a_hostile_name_writes_nothing"}),
        (Placeless, {"a_hostile_name_writes_nothing"}),
        (Overwriting, {"a_file_in_the_way_is_not_overwritten"}),
        (Anything, {"what_is_no_manifest_is_told"}),
        (Telling, {"a_source_of_data_holds_no_secret"}),
    ],
)
def test_each_breach_is_found(failing: Failing, kind: type[Layer], found: set[str]) -> None:
    nodes = {name: {"resource_type": "model", "name": name, "tags": []} for name in ("a", "b")}
    assert failing(SemanticLayerConformance, kind(NoConfig()), dbt_manifest={"nodes": nodes}, secret=SECRET) == found
