from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest
from floe_ops.images import layers
from floe_ops.images.archive import ArchiveError, Image, read_archive, write_archive
from floe_ops.images.layout import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(
    entrypoint=("/tool",), command=("serve",), environment={"TZ": "UTC"}, user="1000:1000", ports=(80,),
    labels={"org.opencontainers.image.title": "tool"},
)  # fmt: skip


def image(folder: Path, reference: str = "localhost/tool:1.0") -> Image:
    lower = layers.write_layer(folder / "lower", [layers.file("etc/name", "lower")])
    upper = layers.write_layer(folder / "upper", [layers.file("tool", b"x" * 3_000_000)], compress=True)
    return Image(reference, "linux/amd64", SETTINGS, [(lower, folder / "lower"), (upper, folder / "upper")])


def documents(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {member.name: content.read() for member in archive if (content := archive.extractfile(member))}


def test_an_archive_says_what_it_holds(tmp_path: Path) -> None:
    digest = write_archive(tmp_path / "a.tar", image(tmp_path))
    found = read_archive(tmp_path / "a.tar")
    assert (found.reference, found.digest) == ("localhost/tool:1.0", digest)
    assert found.config["config"] == {
        "Cmd": ["serve"],
        "Entrypoint": ["/tool"],
        "Env": ["TZ=UTC"],
        "ExposedPorts": {"80/tcp": {}},
        "Labels": {"org.opencontainers.image.title": "tool"},
        "User": "1000:1000",
    }
    assert len(found.layers) == len(found.config["rootfs"]["diff_ids"]) == 2


def test_every_blob_has_the_name_of_its_content_and_every_tool_finds_its_name(tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar", image(tmp_path))
    held = documents(tmp_path / "a.tar")
    blobs = {name.rpartition("/")[2]: content for name, content in held.items() if name.startswith("blobs/")}
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in blobs.items())
    (entry,) = json.loads(held["index.json"])["manifests"]
    assert entry["annotations"] == {
        "io.containerd.image.name": "localhost/tool:1.0",
        "org.opencontainers.image.ref.name": "1.0",
    }
    (for_docker,) = json.loads(held["manifest.json"])
    assert for_docker["RepoTags"] == ["localhost/tool:1.0"]
    assert {for_docker["Config"], *for_docker["Layers"]} <= held.keys()
    assert held["oci-layout"] == b'{"imageLayoutVersion":"1.0.0"}'


def test_two_archives_of_one_image_are_byte_equal(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write_archive(tmp_path / "a.tar", image(tmp_path))
    write_archive(tmp_path / "b.tar", image(tmp_path / "b"))
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_what_is_no_archive_or_is_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive", encoding="utf-8")
    with pytest.raises(ArchiveError, match="not an archive"):
        read_archive(tmp_path / "text")
    write_archive(tmp_path / "a.tar", image(tmp_path))
    held = documents(tmp_path / "a.tar")
    config = json.loads(held["manifest.json"])[0]["Config"]
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name, content in (held | {config: held[config].replace(b"linux", b"plan9")}).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(ArchiveError, match="other content"):
        read_archive(tmp_path / "b.tar")
