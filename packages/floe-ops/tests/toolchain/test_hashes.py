"""What is downloaded is what was pinned: each pin has a hash, and other bytes under a pinned name are refused."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.toolchain import golang, tools, wheels

PROJECT = Path(__file__).resolve().parents[4]
MODULE, VERSION = "floe.example/m", "v1.0.0"
GO_MOD = f"module {MODULE}\n\ngo 1.21\n"
WHEEL = "pinned-1.0-py3-none-any.whl"


def module(content: str) -> bytes:
    """A module's zip, as a proxy serves it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", GO_MOD)
        archive.writestr(f"{MODULE}@{VERSION}/m.go", f'package m\n\nconst Said = "{content}"\n')
    return packed.getvalue()


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module proxy that is a folder; no checksum database is asked, so go.sum alone decides."""
    folder = tmp_path / "proxy" / MODULE / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text(f"{VERSION}\n", encoding="utf-8")
    (folder / f"{VERSION}.info").write_text(json.dumps({"Version": VERSION}), encoding="utf-8")
    (folder / f"{VERSION}.mod").write_text(GO_MOD, encoding="utf-8")
    (folder / f"{VERSION}.zip").write_bytes(module("pinned"))
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path / 'proxy'}")
    monkeypatch.setenv("GONOSUMDB", "*")
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    return folder


@pytest.fixture
def pinned(checkout: Path, proxy: Path) -> Path:
    """The tool `hello`, of that module, with the go.sum that Go itself wrote."""
    source = checkout / "toolchain" / "go" / "hello"
    (source / "go.mod").write_text(f"module hello\n\ngo 1.21\n\nrequire {MODULE} {VERSION}\n", encoding="utf-8")
    (source / "main.go").write_text(
        f'package main\n\nimport "{MODULE}"\n\nfunc main() {{ println(m.Said) }}\n', encoding="utf-8"
    )
    go = golang.find(tools.tool("hello")).path
    subprocess.run([str(go), "mod", "tidy"], cwd=source, check=True, capture_output=True, timeout=60)
    assert MODULE in (source / "go.sum").read_text(encoding="utf-8")
    return source


def forget(proxy: Path) -> None:
    """What Go has fetched, so that it asks the proxy again."""
    shutil.rmtree(proxy.parents[3] / "modules")


@pytest.mark.platform  # where there is no Go, its wheel is fetched
def test_a_module_with_other_content_than_go_sum_pins_is_refused(proxy: Path, pinned: Path) -> None:
    assert subprocess.run([toolchain.ensure("hello")], capture_output=True, check=True).stderr == b"pinned\n"
    forget(proxy)
    (proxy / f"{VERSION}.zip").write_bytes(module("other"))
    (pinned / "main.go").write_text((pinned / "main.go").read_text("utf-8") + "// changed\n", encoding="utf-8")
    with pytest.raises(WrongStateError, match="is not what was pinned") as refused:
        toolchain.ensure("hello")
    assert "checksum mismatch" in refused.value.why


@pytest.mark.platform
def test_a_go_sum_that_was_changed_is_refused(proxy: Path, pinned: Path) -> None:
    forget(proxy)
    lines = (pinned / "go.sum").read_text(encoding="utf-8").splitlines()
    changed = [line.replace("h1:", "h1:AAAA")[: len(line)] if "/go.mod" not in line else line for line in lines]
    (pinned / "go.sum").write_text("\n".join(changed) + "\n", encoding="utf-8")
    with pytest.raises(WrongStateError, match="is not what was pinned") as refused:
        toolchain.ensure("hello")
    assert "checksum mismatch" in refused.value.why


@pytest.mark.parametrize("changed", [False, True])
def test_a_wheel_with_another_hash_than_the_lock_pins_is_refused(tmp_path: Path, *, changed: bool) -> None:
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        notes = {"METADATA": "Metadata-Version: 2.1\nName: pinned\nVersion: 1.0\n", "RECORD": ""}
        notes["WHEEL"] = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("pinned.py", "said = 'pinned'\n")
        for name, text in notes.items():
            archive.writestr(f"pinned-1.0.dist-info/{name}", text)
    pin = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    wanted = f"pinned==1.0 --hash=sha256:{'0' * 64 if changed else pin}"
    target = tmp_path / "target"
    more = ("--no-index", f"--find-links={tmp_path}", "--no-cache")
    if not changed:
        wheels._fetch("go", wanted, target, *more)
        assert (target / "pinned.py").is_file()
        return
    with pytest.raises(WrongStateError, match="is not what the lock pins") as refused:
        wheels._fetch("go", wanted, target, *more)
    assert pin in refused.value.why
    assert not (target / "pinned.py").exists()


def test_every_file_of_every_lock_has_its_hash() -> None:
    packages = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))["package"]
    files = [file for one in packages for file in (*one.get("wheels", ()), *([one["sdist"]] if "sdist" in one else ()))]
    assert len(files) > 1000
    assert [file["url"] for file in files if not file.get("hash", "").startswith("sha256:")] == []
    for lock in (PROJECT / "toolchain" / "npm").glob("*/package-lock.json"):
        entries = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        fetched = {name: one for name, one in entries.items() if name and "version" in one}  # others are folders here
        assert len(fetched) > 100
        assert [name for name, one in fetched.items() if not one.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize("source", sorted((PROJECT / "toolchain" / "go").iterdir()), ids=lambda path: path.name)
def test_every_module_that_a_tool_asks_for_is_in_its_go_sum(source: Path) -> None:
    go = golang.on_path() or golang.find(tools.tool(source.name))
    said = subprocess.run(
        [str(go.path), "mod", "edit", "-json"], cwd=source, check=True, capture_output=True, timeout=60
    ).stdout
    wanted = json.loads(said)
    replaced = {one["Old"]["Path"]: one["New"] for one in wanted.get("Replace") or ()}
    kept = (source / "go.sum").read_text(encoding="utf-8") if wanted.get("Require") else ""
    for one in wanted.get("Require") or ():
        place = replaced.get(one["Path"], one)
        if place.get("Version"):  # a folder beside it is part of the checkout
            assert f"{place['Path']} {place['Version']}/go.mod h1:" in kept
