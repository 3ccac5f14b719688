"""noxw on a machine with python3 and git: makes the environment once, says what is wrong, becomes nox."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tenacity import retry, stop_after_delay, wait_fixed

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
PROJECT = '[project]\nname = "tiny"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = []\n'
NOX = "import sys; print('nox was given', sys.argv[1:])"


@dataclass
class Tiny:
    """A checkout with noxw, the modules it needs and a lock without packages; `uv` on PATH counts its calls."""

    path: Path
    programs: Path

    def env(self, **more: str) -> dict[str, str]:
        path = f"{self.programs}:{Path(sys.executable).resolve().parent}:/usr/bin:/bin"
        return {"PATH": path, "HOME": os.environ.get("HOME", "/"), "UV": str(UV), "UV_OFFLINE": "1", **more}

    def noxw(self, *words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.path / "noxw"), *words]
        return subprocess.run(
            command, cwd=cwd or self.path, env=self.env(**env), capture_output=True, text=True, check=False
        )

    @property
    def syncs(self) -> int:
        log = self.programs / "calls"
        return log.read_text().count("sync") if log.exists() else 0

    def give_nox(self) -> None:
        (site,) = (self.path / ".venv").glob("lib/python*/site-packages")
        (site / "nox").mkdir()
        (site / "nox/__main__.py").write_text(NOX)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    here = Tiny(tmp_path / "a path with spaces", tmp_path / "programs")
    ops = here.path / "packages/floe-ops/src/floe_ops"
    ops.mkdir(parents=True)
    for name in ("__init__", "environment", "project", "uv_wheel"):
        shutil.copy(ROOT / f"packages/floe-ops/src/floe_ops/{name}.py", ops)
    shutil.copy(ROOT / "noxw", here.path)
    (here.path / "pyproject.toml").write_text(PROJECT)
    here.programs.mkdir()
    uv = here.programs / "uv"
    uv.write_text(
        '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n[ "$1$SLOW" != sync1 ] || sleep 60\nexec "$UV" "$@"\n'
    )
    uv.chmod(0o755)
    subprocess.run([UV, "lock", "--quiet"], cwd=here.path, env=here.env(), check=True)
    return here


def test_it_makes_the_environment_once_and_becomes_nox(tiny: Tiny, tmp_path: Path) -> None:
    first = tiny.noxw("--version", cwd=tmp_path)
    assert "environment: ready in" in first.stderr
    tiny.give_nox()

    done = tiny.noxw("-s", "final", "--", "a b", cwd=tmp_path)

    given = ["-f", str(tiny.path / "noxfile.py"), "-s", "final", "--", "a b"]
    assert done.stdout.strip() == f"nox was given {given}"
    assert done.stderr == ""
    assert tiny.syncs == 1


def test_two_at_once_make_it_once(tiny: Tiny) -> None:
    words = [str(tiny.path / "noxw"), "-l"]
    both = [subprocess.Popen(words, env=tiny.env(), stderr=subprocess.PIPE, text=True) for _ in range(2)]

    errors = [process.communicate(timeout=60)[1] for process in both]

    assert tiny.syncs == 1
    assert all("No module named nox" in error for error in errors)  # both went on to nox, which this lock has not
    assert sum("another process is making it" in error for error in errors) <= 1


def test_killed_half_way_it_is_made_again(tiny: Tiny) -> None:
    killed = subprocess.Popen([str(tiny.path / "noxw"), "-l"], env=tiny.env(SLOW="1"), start_new_session=True)

    @retry(stop=stop_after_delay(20), wait=wait_fixed(0.05), reraise=True)
    def started() -> None:
        assert tiny.syncs == 1

    started()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    assert "environment: ready in" in tiny.noxw("-l").stderr
    assert tiny.syncs == 2


def test_a_changed_lock_makes_it_again(tiny: Tiny) -> None:
    tiny.noxw("-l")
    lock = tiny.path / "uv.lock"
    lock.write_text(lock.read_text() + "\n")

    tiny.noxw("-l")

    assert tiny.syncs == 2


@pytest.mark.parametrize(
    ("file", "content", "why", "remedy"),
    [
        ("pyproject.toml", PROJECT.replace("[]", '["tiny-b"]'), "", "uv"),
        ("uv.lock", "not = = toml", "uv.lock", "git checkout uv.lock"),
        (".floe", "a file", "cannot write to the checkout", "clone it into a folder of your own"),
    ],
)
def test_what_is_broken_is_said_with_its_remedy(tiny: Tiny, file: str, content: str, why: str, remedy: str) -> None:
    (tiny.path / file).write_text(content)

    done = tiny.noxw("-l")

    assert done.returncode == 5
    assert why in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tiny.path / ".venv/floe-stamp").exists()


def test_no_python_is_said(tiny: Tiny) -> None:
    sh = Path("/bin/sh").resolve().parent
    for name in ("sh", "dirname", "readlink"):
        (tiny.programs / name).symlink_to(shutil.which(name, path=f"{sh}:/usr/bin:/bin") or name)

    done = tiny.noxw("-l", PATH=str(tiny.programs))

    assert done.returncode == 5
    assert "no Python 3.11, 3.12 or 3.13 on PATH" in done.stderr


def test_a_link_to_noxw_stands_for_it(tiny: Tiny, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tiny.path / "noxw")

    done = subprocess.run([link, "-l"], cwd=tmp_path, env=tiny.env(), capture_output=True, text=True, check=False)

    assert "environment: ready in" in done.stderr
