from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest
import zstandard
from floe_core.errors import WrongStateError
from floe_ops.audits.leaks import staging
from floe_ops.audits.leaks.detector import Leak


def tar(path: Path, mode: Literal["w", "w:gz"], **files: str) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def staged(tmp_path: Path) -> staging.Staging:
    folder = tmp_path / "staged"
    folder.mkdir()
    return staging.Staging(folder)


def test_equal_contents_are_read_once_and_told_for_every_place(tmp_path: Path) -> None:
    fill = staged(tmp_path)
    fill.add(b"x", "src/a.py")
    fill.add(b"x", "lib/python3.11/site-packages/a.py", "a.whl")
    fill.add(b"y", "b.yaml")
    names = sorted(path.name for path in fill.folder.iterdir())
    assert (fill.files, fill.size, [Path(name).suffix for name in names].count(".txt")) == (3, 2, 1)
    (name,) = (name for name in names if name.endswith(".txt"))
    told = fill.told([Leak("rule", name, 1, "x")])
    assert [str(leak).partition(": ")[0] for leak in told] == [
        "src/a.py:1",
        "lib/python3.11/site-packages/a.py:1 in a.whl",
    ]


def test_every_kind_of_archive_is_opened(tmp_path: Path) -> None:
    fill = staged(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("in-zip.py", "1")
    tar(tmp_path / "a.tar.gz", "w:gz", **{"in-gz.py": "2"})
    plain = tar(tmp_path / "plain.tar", "w", **{"in-zst.py": "3"})
    (tmp_path / "layer.tar.zst").write_bytes(zstandard.compress(plain.read_bytes()))
    for name in ("a.whl", "a.tar.gz", "layer.tar.zst"):
        fill.add_archive(tmp_path / name, name)
    assert sorted(path.read_text(encoding="utf-8") for path in fill.folder.iterdir()) == ["1", "2", "3"]


@pytest.mark.parametrize("name", ["broken.whl", "broken.tar.gz"])
def test_an_archive_that_cannot_be_read_is_no_clean_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK no archive at all")
    with pytest.raises(WrongStateError, match="cannot be looked at"):
        staged(tmp_path).add_archive(tmp_path / name, name)


def test_a_file_too_large_is_said_to_be_left_out_and_hashes_are_no_keys(tmp_path: Path) -> None:
    fill = staged(tmp_path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(staging.MAX_BYTES + 1)
    fill.add_file(tmp_path / "large", "large")
    fill.add_file(tmp_path / "gone", "gone")
    fill.add(b"h1:abc=", "toolchain/go/x/go.sum")
    assert (fill.files, fill.left_out) == (0, ["large (larger than 64 MB)"])
