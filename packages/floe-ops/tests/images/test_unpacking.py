"""An archive is unpacked into its folder or refused: nothing is written beside it, whatever its members are called."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops.images import debian, layers

PLANTED = b"planted"
Unpack = Callable[[Path, Path], None]


def packed(path: Path, *members: tuple[str, str]) -> Path:
    """A tar of files, and of links where a target is given."""
    with tarfile.open(path, "w") as archive:
        for name, target in members:
            info = tarfile.TarInfo(name)
            if target:
                info.type, info.linkname = tarfile.SYMTYPE, target
                archive.addfile(info)
            else:
                info.size = len(PLANTED)
                archive.addfile(info, io.BytesIO(PLANTED))
    return path


def from_debian(file: Path, root: Path) -> None:
    program = file.with_name("bin") / "mmdebstrap"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nfor word; do case $word in *.tar) cp "{file}" "$word" ;; esac; done\n', encoding="utf-8"
    )
    program.chmod(stat.S_IRWXU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(program.parent), prepend=":")
        debian.unpack(("x",), root)


@pytest.mark.parametrize("unpack", [layers.extract, from_debian], ids=["layer", "debian"])
@pytest.mark.parametrize(
    "members",
    [
        [("../beside", "")],
        [("usr/../../beside", "")],
        [("usr/out", "../.."), ("usr/out/beside", "")],
        [("usr/out", "{outside}"), ("usr/out/beside", "")],
    ],
    ids=["above", "above in the middle", "through a link", "through an absolute link"],
)
def test_what_would_leave_the_folder_is_refused(unpack: Unpack, members: list[tuple[str, str]], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    file = packed(tmp_path / "file", *((name, target.format(outside=outside)) for name, target in members))
    root = tmp_path / "inner" / "root"
    root.mkdir(parents=True)
    with pytest.raises(WrongStateError, match="outside"):
        unpack(file, root)
    assert not list(tmp_path.rglob("beside"))


@pytest.mark.parametrize("unpack", [layers.extract, from_debian], ids=["layer", "debian"])
def test_a_name_from_the_root_lands_in_the_folder(unpack: Unpack, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    unpack(packed(tmp_path / "file", (f"{tmp_path}/usr/beside", "")), root)
    assert [path.relative_to(root) for path in tmp_path.rglob("beside")] == [Path(*tmp_path.parts[1:], "usr", "beside")]
