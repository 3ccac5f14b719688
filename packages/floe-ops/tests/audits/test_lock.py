from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import lock

if TYPE_CHECKING:
    from pathlib import Path

LOCK = """
[manifest]
members = ["home", "home-part"]

[[package]]
name = "home"
source = { virtual = "." }

[[package]]
name = "home-part"
source = { editable = "packages/part" }

[[package]]
name = "Zope.Interface"
version = "1.0.0.RC1"
source = { registry = "https://index.example/simple" }

[[package]]
name = "numpy"
version = "2.0"
source = { registry = "https://index.example/simple" }

[[package]]
name = "numpy"
version = "2.1"
source = { registry = "https://index.example/simple" }
"""


def test_third_party_is_all_but_the_workspace_in_every_version(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text(LOCK, encoding="utf-8")
    assert sorted(map(str, lock.third_party(path))) == ["numpy 2.0", "numpy 2.1", "zope-interface 1.0.0rc1"]


def test_a_lone_project_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text('[[package]]\nname = "home"\nversion = "1"\nsource = { editable = "." }', encoding="utf-8")
    assert lock.third_party(path) == frozenset()


def test_a_third_party_package_without_a_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "uv.lock"
    path.write_text(LOCK + '[[package]]\nname = "fork"\nsource = { directory = "../fork" }', encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        lock.third_party(path)
    assert caught.value.why == "fork"


@pytest.mark.parametrize("content", [None, "[[package"])
def test_a_lock_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "uv.lock"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(WrongStateError, match="cannot be read"):
        lock.third_party(path)


def test_an_unknown_version_is_kept_as_written() -> None:
    assert lock.pin("PyTZ", "2004d") == lock.Pin("pytz", "2004d")
    assert lock.pin("x", "1.0.0+Local.1") == lock.pin("x", "1.0.0+local.1")
