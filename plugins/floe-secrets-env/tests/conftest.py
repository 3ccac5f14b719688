"""A folder as the kubelet keeps it, by the same steps in the same order."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest


class Mount:
    """A Secret's volume: a folder a generation, `..data` that points at the newest, a link a name.

    Source: the steps of Kubernetes' atomic writer, as its documentation and source tell them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o777)
        path.chmod(0o1777)
        self._numbers = itertools.count(100_000_000)

    def publish(self, secrets: Mapping[str, bytes], mode: int = 0o644) -> None:
        """Write a new generation, and let it take the place of the old one at once."""
        data, made = self.path / "..data", self.path / f"..2026_11_23_15_00_00.{next(self._numbers)}"
        made.mkdir(mode=0o755)
        for name, value in secrets.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(value)
            (made / name).chmod(mode)
        before = data.resolve() if data.is_symlink() else None
        (self.path / "..data_tmp").symlink_to(made.name)
        (self.path / "..data_tmp").rename(data)
        tops = {Path(name).parts[0] for name in secrets}
        for top in tops:
            if not (self.path / top).is_symlink():
                (self.path / top).symlink_to(Path("..data", top))
        for entry in self.path.iterdir():
            if not entry.name.startswith("..") and entry.name not in tops:
                entry.unlink()
        if before is not None:
            shutil.rmtree(before)


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path / "mount")
