from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.images import layers
from floe_ops.images.archive import Image, write_archive
from floe_ops.images.build import BuiltImage
from floe_ops.images.layout import Settings
from floe_ops.sbom import document, image
from floe_ops.toolchain import golang, tools

MODINFO = (
    "path\tx/cmd\nmod\tx\t(devel)\t\ndep\tgithub.com/a/b\tv1.2.3\th1:=\n"
    "dep\tgithub.com/c/d\tv0.1.0\n=>\tgithub.com/e/d\tv0.2.0\th1:=\n"
)  # fmt: skip
PROGRAM = image.ELF + b"\0" * 64 + image.BEGIN + MODINFO.encode() + image.END + b"\0" * 64
DPKG = "Package: libc6\nVersion: 2.36-9+deb12u10\nArchitecture: amd64\nSource: glibc\n"
METADATA = "Metadata-Version: 2.4\nName: Ruamel.Yaml\nVersion: 1.0\n\nName: not this one\n"
SECRET = "the-secret-of-the-environment"  # noqa: S105 # nosec B105 - planted, to be looked for


@pytest.fixture
def built(tmp_path: Path) -> BuiltImage:
    return made(tmp_path)


def made(folder: Path) -> BuiltImage:
    lower = [
        layers.file("var/lib/dpkg/status.d/libc6", DPKG),
        layers.file("usr/bin/sh", image.ELF + b"no Go", mode=layers.PROGRAM),
        layers.link("usr/bin/bash", "sh"),
    ]
    upper = [
        layers.file("site/ruamel.yaml-1.0.dist-info/METADATA", METADATA),
        layers.file("usr/bin/tool", PROGRAM, mode=layers.PROGRAM),
    ]
    files = [(folder / "lower", lower, False), (folder / "upper", upper, True)]
    found = [(layers.write_layer(path, entries, compress=packed), path) for path, entries, packed in files]
    archive = folder / "image.tar"
    settings = Settings(environment={"TOKEN": SECRET})
    digest = write_archive(archive, Image("localhost/x:1", "linux/amd64", settings, found))
    return BuiltImage("x", "localhost/x:1", archive, digest)


def test_packages_distributions_and_modules_of_all_layers_are_told(built: BuiltImage, tmp_path: Path) -> None:
    told = image.bill(built)
    assert [part["purl"] for part in told["components"]] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
        "pkg:golang/github.com/a/b@v1.2.3",
        "pkg:golang/github.com/e/d@v0.2.0",
        "pkg:pypi/ruamel-yaml@1.0",
    ]
    assert told["metadata"]["component"]["hashes"][0]["content"] in built.digest
    assert SECRET not in json.dumps(told)
    document.write(tmp_path / "x.cdx.json", told)


def test_two_builds_give_the_same_document(built: BuiltImage, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    assert image.bill(made(again)) == image.bill(built)


def test_an_archive_that_is_cut_off_is_told(built: BuiltImage) -> None:
    whole = built.archive.read_bytes()
    built.archive.write_bytes(whole[: len(whole) - 11_000])
    with pytest.raises(WrongStateError, match=r"cannot be read|not an archive"):
        image.bill(built)


def test_the_modules_are_those_that_go_itself_reads() -> None:
    program = toolchain.ensure("crane")
    go = golang.find(tools.tool("crane")).path
    said = subprocess.run([str(go), "version", "-m", str(program)], capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t")[1:] for line in said.splitlines() if line.startswith(("\tmod\t", "\tdep\t"))]
    assert image.modules(program.read_bytes()) == [(line[1], line[2]) for line in lines]
    assert len(lines) > 10
