"""A checkout with one small tool, and a Go that does what a test says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from floe_ops.toolchain import tools

PROJECT = Path(__file__).resolve().parents[4]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root whose only tool is `hello`, of the standard library alone."""
    root = tmp_path / "checkout"
    source = root / "toolchain" / "go" / "hello"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("module hello\n\ngo 1.21\n", encoding="utf-8")
    (source / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n', encoding="utf-8")
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(PROJECT / name, root / name)
    for name in [name for name in os.environ if name.startswith("FLOE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLOE_ROOT", str(root))
    monkeypatch.setitem(tools.TOOLS, "hello", tools.Tool("hello", ".", 0.1, 10, 100))
    return root


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` first on PATH: answers `env`, counts its builds, and does what `behaviour` beside it says."""
    folder = tmp_path / "go-bin"
    folder.mkdir()
    program = folder / "go"
    program.write_text(
        "#!/bin/sh\n"
        f'here="{folder}"\n'
        'if [ "$1" = env ]; then\n'
        '  case "$2" in GOVERSION) cat "$here/version" ;; GOPROXY) echo off ;; esac\n'
        "  exit 0\n"
        "fi\n"
        'echo build >> "$here/builds"\n'
        'env > "$here/environment"\n'
        'while [ "$1" != -o ]; do shift; done\n'
        'output="$2"\n'
        '. "$here/behaviour"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    (folder / "version").write_text("go1.26.8\n", encoding="utf-8")
    (folder / "behaviour").write_text('printf "#!/bin/sh\\necho hi\\n" > "$output"; chmod 755 "$output"\n', "utf-8")
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder
