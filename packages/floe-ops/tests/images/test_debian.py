from __future__ import annotations

import io
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError
from floe_ops.images import debian

if TYPE_CHECKING:
    from pathlib import Path

PACKED = {
    "usr/bin/tool": b"program",
    "usr/bin/dpkg": b"not wanted",
    "usr/share/doc/tool/copyright": b"licence",
    "usr/share/doc/tool/changelog.gz": b"not wanted",
    "usr/share/man/man1/tool.1": b"not wanted",
    "usr/share/zoneinfo/UTC": b"zone",
    "usr/share/ca-certificates/mozilla/B.crt": b"second\n",
    "usr/share/ca-certificates/mozilla/A.crt": b"first",
    "etc/apt/sources.list": b"a mirror's name",
    "var/lib/dpkg/status": b"not wanted",
    "var/lib/dpkg/status.d/tool": b"Package: tool\nVersion: 1\n",
    "opt/more": b"left out for this image",
}
SAYS_WHAT_IT_IS_ASKED = """#!/bin/sh
for word; do case $word in *.tar) cp "{packed}" "$word" ;; esac; done
echo "$@" > "{asked}"
"""


def program(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "mmdebstrap").write_text(text, encoding="utf-8")
    (folder / "mmdebstrap").chmod(stat.S_IRWXU)


def test_packages_are_unpacked_without_what_no_container_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "packed", "w") as archive:
        for name, content in PACKED.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    asked = tmp_path / "asked"
    program(tmp_path / "bin", SAYS_WHAT_IT_IS_ASKED.format(packed=tmp_path / "packed", asked=asked))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    debian.unpack(("tool", "other"), tmp_path / "root", pruned=("opt/*",))
    assert "--variant=extract" in asked.read_text(encoding="utf-8")
    assert "--include=tool,other" in asked.read_text(encoding="utf-8")
    assert "dpkg-deb --field" in asked.read_text(encoding="utf-8")  # who is in it, for bills of materials
    found = {str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert found == {
        "usr/bin/tool", "usr/share/doc/tool/copyright", "usr/share/zoneinfo/UTC", "etc/ssl/certs/ca-certificates.crt",
        "var/lib/dpkg/status.d/tool",
    }  # fmt: skip
    assert (tmp_path / "root" / debian.CERTIFICATES).read_bytes() == b"first\nsecond\n"


def test_the_machines_own_sources_of_the_release_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "APT", tmp_path)
    assert debian.sources() == []
    (tmp_path / "sources.list.d").mkdir()
    written = {
        "sources.list": "# deb http://x bookworm main\n",
        "sources.list.d/a.list": "deb https://tools.example/apt tools-bookworm main\n",
        "sources.list.d/b.list": "deb [signed-by=/k] http://mirror.example/debian bookworm main\n",
        "sources.list.d/c.sources": "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\n",
        "sources.list.d/d.sources": "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm bookworm-updates\n",
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [file.name for file in debian.sources()] == ["b.list", "d.sources"]


def test_without_the_program_the_remedy_says_how_to_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="bare-cluster prepare"):
        debian.unpack(("tool",), tmp_path / "root")


def test_what_apt_says_reaches_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "#!/bin/sh\necho 'I: updating' >&2\necho 'E: cannot reach the mirror' >&2\nexit 25\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    with pytest.raises(MissingToolError, match="cannot reach the mirror"):
        debian.unpack(("tool",), tmp_path / "root")
