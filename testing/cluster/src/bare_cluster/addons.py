"""What makes a bare API server a cluster that programs can live in: DNS, volumes, a default StorageClass."""

from __future__ import annotations

import os
import subprocess  # nosec B404 - kubectl is a program
from importlib import resources
from typing import TYPE_CHECKING

from floe_core.errors import FloeError
from jinja2 import Environment, StrictUndefined

from bare_cluster.daemons import HERE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bare_cluster.settings import Settings

MANIFESTS = ("coredns.yaml.j2", "local-path.yaml.j2")
DEPLOYMENTS = {"coredns": "kube-system", "local-path-provisioner": "local-path-storage"}
"""Which must be up, and in which namespace."""
APPLY_S = 60


def render(settings: Settings, references: Mapping[str, str]) -> str:
    """All manifests; `references` holds the reference of each image by its name."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701  # nosec B701 - writes YAML, no HTML
    values = {name.replace("-", "_"): reference for name, reference in references.items()}
    values |= {"dns": str(settings.network.dns), "volumes": str(HERE.volumes)}
    folder = resources.files("bare_cluster").joinpath("manifests")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in MANIFESTS)
    return "\n---\n".join(environment.from_string(text).render(values) for text in texts)


def apply(settings: Settings, kubeconfig: Path, references: Mapping[str, str]) -> None:
    """Bring the cluster to what the manifests say.

    Raises:
        FloeError: The API server refuses one.
    """
    words = ["apply", "--server-side", "--force-conflicts", "-f", "-"]
    done = subprocess.run(  # noqa: S603  # nosec B603 - the pinned tool, no shell
        [*kubectl(settings.program), *words],
        input=render(settings, references),
        env=environment(kubeconfig, settings),
        capture_output=True,
        text=True,
        timeout=APPLY_S,
        check=False,
    )
    if done.returncode != 0:
        raise FloeError(
            "the cluster's addons cannot be applied",
            where="kubectl " + " ".join(words),
            why=done.stderr.strip()[-600:],
            remedy="see `bare-cluster logs kube-apiserver`; `bare-cluster down --wipe`, then `up`, starts from nothing",
        )


def kubectl(program: Path) -> list[str]:
    """How kubectl is called."""
    return [str(program), "kubectl"]


def environment(kubeconfig: Path, settings: Settings) -> dict[str, str]:
    """An environment in which kubectl and others speak to this cluster, never by way of a proxy."""
    past = [os.environ.get("NO_PROXY", ""), *map(str, settings.network.all)]
    joined = ",".join(part for part in past if part)
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "NO_PROXY": joined, "no_proxy": joined}
