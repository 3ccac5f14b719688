from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import yaml
from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.identity import identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "https://127.0.0.1:9"


def told(path: Path, authority: str) -> dict[str, str]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["clusters"][0]["cluster"]["certificate-authority-data"] = b64encode(authority.encode()).decode()
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    found = record.Record("context", str(path), "floe", "floe-test", "floe", made_cluster=False)
    return identity(found, Kubernetes(found.access))


def test_a_cluster_made_anew_at_the_same_place_is_another_one(kubeconfig: Callable[[str], Path]) -> None:
    path = kubeconfig(URL)
    first, second = told(path, "one"), told(path, "two")
    assert first == told(path, "one")
    assert first["authority"] != second["authority"]
    assert first | {"authority": ""} == second | {"authority": ""}
    assert first["server"] == URL


def test_where_the_systems_own_authorities_vouch_there_is_none_to_name(kubeconfig: Callable[[str], Path]) -> None:
    found = record.Record("context", str(kubeconfig(URL)), "floe", "floe-test", "floe", made_cluster=False)
    assert identity(found, Kubernetes(found.access))["authority"] == ""
