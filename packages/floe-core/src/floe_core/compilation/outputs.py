"""What is written beside the artifacts: dbt's profile, a shim for the orchestrator, objects for Kubernetes.

All of it is made of the artifacts' content, so it is as reproducible as they are and holds no secret either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from floe_core.compilation.write import write_atomic
from floe_core.errors import UsageError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from floe_core.compilation.artifacts import CompiledArtifacts

PROFILES: Final = "profiles.yml"
DEFINITIONS: Final = "definitions.py"
CONFIG_MAP: Final = "configmap.yaml"
RBAC: Final = "rbac.yaml"
KINDS: Final = (PROFILES, DEFINITIONS, CONFIG_MAP, RBAC)
"""The outputs by file name; `definitions.py` needs an orchestrator that has a shim, `rbac.yaml` an rbac plugin."""
ARTIFACTS_KEY: Final = "compiled_artifacts.json"
MAX_CONFIG_MAP_BYTES: Final = 1024 * 1024
"""Kubernetes' own limit for the data of a ConfigMap: names and values together."""
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_MAX_SUBDOMAIN: Final = 253


@dataclass(frozen=True)
class ClusterPlace:
    """Where in Kubernetes the objects go.

    Attributes:
        namespace: The namespace.
        config_map: The ConfigMap's name; `<product>-artifacts` when empty.
    """

    namespace: str = "floe"
    config_map: str = ""

    def holds(self, name: str) -> bool:
        """Whether an object of the namespace can have that name."""
        return len(name) <= _MAX_SUBDOMAIN and _SUBDOMAIN.match(name) is not None

    def check(self) -> None:
        """Do nothing for names that Kubernetes takes.

        Raises:
            UsageError: It takes one of them not.
        """
        if not _LABEL.match(self.namespace):
            raise _bad_name("namespace", self.namespace, "63 at most")
        if self.config_map and not self.holds(self.config_map):
            raise _bad_name("ConfigMap", self.config_map, f"{_MAX_SUBDOMAIN} at most, dots between")


@dataclass(frozen=True)
class Bundle:
    """Everything that one compilation made.

    Attributes:
        artifacts: The artifacts.
        place: Where in Kubernetes the objects go.
        shim: The Python package that has `load_product_definitions`; empty without one.
        rights: The objects of the rbac plugin, in creation order; empty without one.
    """

    artifacts: CompiledArtifacts
    place: ClusterPlace = ClusterPlace()
    shim: str = ""
    rights: tuple[Mapping[str, Any], ...] = ()


def compile_outputs(bundle: Bundle, kinds: Collection[str] = KINDS, *, product_dir: str = "..") -> dict[str, str]:
    """The text of each output that the bundle has, by file name.

    Args:
        bundle: What was compiled.
        kinds: Which of `KINDS` are wanted.
        product_dir: The product's folder, relative to the one that `definitions.py` will lie in.

    Raises:
        UsageError: A kind is unknown.
        WrongStateError: The artifacts are larger than a ConfigMap may be.
    """
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise UsageError(f"there is no output {unknown[0]!r}", remedy=f"name some of: {', '.join(KINDS)}")
    made = {PROFILES: _profiles(bundle)} if PROFILES in kinds else {}
    if DEFINITIONS in kinds and bundle.shim:
        made[DEFINITIONS] = _definitions(bundle, product_dir)
    if CONFIG_MAP in kinds:
        made[CONFIG_MAP] = _config_map(bundle)
    if RBAC in kinds and bundle.rights:
        made[RBAC] = "".join(f"---\n{_yaml(dict(one))}" for one in bundle.rights)
    return made


def write_outputs(folder: Path, outputs: Mapping[str, str]) -> tuple[Path, ...]:
    """Write each output into `folder`, each whole or not at all; the paths written.

    Raises:
        WrongStateError: A place cannot be written to; the outputs before it are there.
    """
    for name, text in outputs.items():
        write_atomic(folder / name, text)
    return tuple(folder / name for name in outputs)


def _yaml(content: object) -> str:
    import yaml

    class Blocks(yaml.SafeDumper):
        """Writes a text of several lines as a block, so that people can read it."""

    def block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    Blocks.add_representer(str, block)
    return yaml.dump(content, Dumper=Blocks, sort_keys=True, allow_unicode=True, default_flow_style=False, width=2**31)


def _profiles(bundle: Bundle) -> str:
    head = f"# dbt's targets for {bundle.artifacts.metadata.product_name}, one a lane. Made by `floe compile`.\n"
    return head + _yaml(bundle.artifacts.dbt_profiles)


def _definitions(bundle: Bundle, product_dir: str) -> str:
    name = bundle.artifacts.metadata.product_name
    return (
        f'"""The data product {name}, for the orchestrator. Made by `floe compile`."""\n\n'
        "from pathlib import Path\n\n"
        f"from {bundle.shim} import load_product_definitions\n\n"
        f"defs = load_product_definitions((Path(__file__).parent / {product_dir!r}).resolve())\n"
    )


def _config_map(bundle: Bundle) -> str:
    artifacts = bundle.artifacts
    text = artifacts.to_json()
    size = len(text.encode()) + len(ARTIFACTS_KEY)
    if size > MAX_CONFIG_MAP_BYTES:
        raise WrongStateError(
            "the artifacts do not fit into a ConfigMap",
            where=artifacts.metadata.product_name,
            why=f"they are {size} bytes, and Kubernetes takes {MAX_CONFIG_MAP_BYTES}",
            remedy="put them into the image or a volume, and write the other outputs with --only",
        )
    metadata = {
        "name": bundle.place.config_map or f"{artifacts.metadata.product_name}-artifacts",
        "namespace": bundle.place.namespace,
        "labels": {"app.kubernetes.io/managed-by": "floe", "app.kubernetes.io/component": "artifacts"},
        # A product's name may be no label's value, an annotation takes any.
        "annotations": {
            "floe.dev/product": artifacts.metadata.product_name,
            "floe.dev/version": artifacts.metadata.product_version,
            "floe.dev/source": artifacts.metadata.source_hash,
        },
    }
    return _yaml({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ARTIFACTS_KEY: text}})


def _bad_name(kind: str, name: str, length: str) -> UsageError:
    return UsageError(
        f"Kubernetes takes no {kind} of this name",
        where=kind,
        why=f"it is {name[:80]!r}",
        remedy=f"write lower-case letters, digits and dashes, a letter or digit at both ends, {length}",
    )
