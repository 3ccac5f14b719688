from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from floe_ops.targets.local import guard, remains
from floe_ops.targets.local.layout import Layout

Poll = Callable[[Callable[[], bool], float], bool]
GUARD = guard.__file__


def _spec(layout: Layout, name: str, *argv: str, **env: str) -> Path:
    layout.make()
    path = layout.specs / f"{name}.json"
    spec: dict[str, Any] = {"argv": list(argv), "env": env, "cwd": str(layout.run)}
    path.write_text(json.dumps(spec | {"starts": str(layout.starts / name)}), encoding="utf-8")
    return path


def test_a_service_gets_its_own_environment_and_nothing_else(tmp_path: Path) -> None:
    spec = _spec(Layout(tmp_path), "s3", "/usr/bin/env", ONLY="this")
    done = subprocess.run(
        [sys.executable, "-I", "-S", GUARD, str(spec)],
        env={"LEAKED": "secret"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "ONLY=this\n"


def test_each_start_is_noted_with_its_process(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    spec = _spec(layout, "s3", "/bin/true")
    started = []
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-I", "-S", GUARD, str(spec)])
        process.wait()
        started.append(process.pid)
    lines = (layout.starts / "s3").read_text(encoding="utf-8").splitlines()
    assert [int(line.split()[0]) for line in lines] == started


def test_a_service_dies_with_its_parent_or_is_found_afterwards(tmp_path: Path, poll: Poll) -> None:
    layout = Layout(tmp_path)
    spec = _spec(layout, "s3", "/bin/sleep", "300")
    code = (
        f"import subprocess; p = subprocess.Popen([{sys.executable!r}, '-I', '-S', {GUARD!r}, {str(spec)!r}]); p.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert poll(lambda: any(each.name() == "sleep" for each in _children(parent.pid)), 10)
    (service,) = _children(parent.pid)
    assert list(remains.find(layout)) == [service]
    parent.kill()
    parent.wait()
    if sys.platform.startswith("linux"):
        assert poll(lambda: not service.is_running(), 5)
    remains.end(layout)
    assert not service.is_running()
    assert list(remains.find(layout)) == []


def test_a_strangers_process_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    _spec(layout, "s3", "/bin/sleep", "300")
    stranger = subprocess.Popen(["/bin/sleep", "300"])
    try:
        (layout.starts / "s3").write_text(f"{stranger.pid} 1000000000.0\n", encoding="utf-8")
        assert list(remains.find(layout)) == []
    finally:
        stranger.kill()
        stranger.wait()


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()
