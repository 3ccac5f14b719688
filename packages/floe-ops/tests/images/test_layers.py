from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

import pytest
from floe_ops.images import layers

if TYPE_CHECKING:
    from pathlib import Path


def source(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "tool").write_bytes(b"program")
    (folder / "bin" / "tool").chmod(0o4775)
    (folder / "bin" / "link").symlink_to("tool")
    (folder / "read.me").write_bytes(b"text")
    (folder / "read.me").chmod(0o600)
    return folder


def members(file: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(file) as archive:
        return {member.name: member for member in archive}


def test_a_layer_depends_on_its_content_alone(tmp_path: Path) -> None:
    one = layers.write_layer(tmp_path / "1", layers.tree(source(tmp_path / "a"), "opt"))
    again = layers.write_layer(tmp_path / "2", reversed(list(layers.tree(source(tmp_path / "b" / "elsewhere"), "opt"))))
    assert one == again
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_digests_are_those_of_the_file_and_of_the_tar_in_it(tmp_path: Path) -> None:
    plain = layers.write_layer(tmp_path / "plain", layers.tree(source(tmp_path / "a"), ""))
    small = layers.write_layer(tmp_path / "small", layers.tree(tmp_path / "a", ""), compress=True)
    for layer, file in ((plain, tmp_path / "plain"), (small, tmp_path / "small")):
        content = file.read_bytes()
        assert layer.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert layer.size == len(content)
    assert small.diff_id == plain.diff_id == plain.digest != small.digest
    assert small.media_type.endswith(".tar+zstd")


def test_owners_modes_and_times_are_the_images_not_the_machines(tmp_path: Path) -> None:
    entries = [*layers.tree(source(tmp_path / "a"), "opt"), layers.folder("data", mode=0o700, owner=70)]
    layers.write_layer(tmp_path / "layer", entries, epoch=1234)
    found = members(tmp_path / "layer")
    assert {name: member.mode for name, member in found.items() if not member.issym()} == {
        "data": 0o700, "opt": 0o755, "opt/bin": 0o755, "opt/bin/tool": 0o755, "opt/read.me": 0o644,
    }  # fmt: skip
    assert {(member.uid, member.gid) for name, member in found.items() if name != "data"} == {(0, 0)}
    assert (found["data"].uid, found["data"].gid) == (70, 70)
    assert {member.mtime for member in found.values()} == {1234}
    assert found["opt/bin/link"].linkname == "tool"
    assert list(found) == sorted(found)


def test_folders_that_lead_to_a_file_are_made_and_a_later_entry_counts(tmp_path: Path) -> None:
    layers.write_layer(tmp_path / "layer", [layers.file("/a/b/c", "old"), layers.file("a/b/c", "new")])
    assert list(members(tmp_path / "layer")) == ["a", "a/b", "a/b/c"]
    with tarfile.open(tmp_path / "layer") as archive:
        content = archive.extractfile("a/b/c")
        assert content is not None
        assert content.read() == b"new"


def test_what_is_refused_is_left_out_with_all_below_it(tmp_path: Path) -> None:
    entries = layers.tree(source(tmp_path / "a"), "", keep=lambda path: path.name != "bin")
    assert [entry.path for entry in entries] == ["read.me"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_layer_is_unpacked_as_it_was(tmp_path: Path, compress: bool) -> None:
    layers.write_layer(tmp_path / "layer", layers.tree(source(tmp_path / "a"), ""), compress=compress)
    layers.extract(tmp_path / "layer", tmp_path / "root")
    assert (tmp_path / "root/bin/link").read_bytes() == b"program"
    assert (tmp_path / "root/bin/tool").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "root/read.me").read_bytes() == b"text"
