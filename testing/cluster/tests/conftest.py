"""A cluster's settings and folder, and machines, without a cluster."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bare_cluster.configs import Machine
from bare_cluster.layout import Layout
from bare_cluster.settings import Settings

Archives = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "a cluster")
    layout.make()
    return layout


@pytest.fixture
def settings() -> Settings:
    return Settings(slot=7, cpus=2, memory_gib=4, program=Path("/tools/kubernetes"), pause="localhost/pause:1")


@pytest.fixture
def machine() -> Machine:
    return Machine(cpus=8, memory=32 << 30, cni_programs="/usr/lib/cni", may_raise=True)


@pytest.fixture
def archive(tmp_path: Path) -> Archives:
    """Write an image archive with this index, and nothing else that its reader looks at."""

    def write(name: str, *manifests: dict[str, object]) -> Path:
        path = tmp_path / name
        content = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
        with tarfile.open(path, "w") as tar:
            entry = tarfile.TarInfo("index.json")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        return path

    return write
