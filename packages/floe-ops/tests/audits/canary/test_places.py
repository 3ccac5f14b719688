from __future__ import annotations

import base64
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from floe_ops.audits.canary import forms, places

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = os.urandom(20).hex()
FORMS = forms.of({"s3-secret-key": SECRET})


@contextmanager
def process(*words: str, **environment: str) -> Iterator[int]:
    """A process that waits for its input to end."""
    command = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()", *words]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
    )
    with child:
        assert child.stdout
        assert child.stdout.readline() == "up\n"
        yield child.pid
        assert child.stdin
        child.stdin.close()


def test_files_are_told_by_their_place_and_only_those_that_others_can_read(tmp_path: Path) -> None:
    planted = {
        ".floe/run/1/a.log": SECRET,
        ".floe/report/index.html": base64.b64encode(f"root:{SECRET}".encode()).decode(),
        ".floe/data/x.bin": "\0\1" + SECRET.encode().hex(),
        "demo/target/manifest.json": SECRET,
    }
    harmless = {".floe/run/1/b.log": "nothing", ".floe/tools/x": SECRET, ".venv/x": SECRET, ".floe/run/empty": ""}
    for name, text in {**planted, **harmless}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    private = tmp_path / ".floe" / "run" / "secrets.json"
    private.write_text(SECRET, encoding="utf-8")
    private.chmod(0o600)
    seen = places.files(tmp_path, FORMS)
    assert {(one.place, one.secret, one.way) for one in seen.sightings} == {
        (".floe/run/1/a.log", "s3-secret-key", "plain"),
        (".floe/report/index.html", "s3-secret-key", "Base64"),
        (".floe/data/x.bin", "s3-secret-key", "hex"),
        ("demo/target/manifest.json", "s3-secret-key", "plain"),
    }
    assert seen.looked == len(planted) + 2
    assert SECRET not in "".join(map(str, seen.sightings))


def test_a_command_line_is_told_by_its_process() -> None:
    with process(f"--password={SECRET}") as pid:
        seen = places.command_lines(FORMS)
    assert [one.place for one in seen.sightings] == [f"command line of process {pid} ({Path(sys.executable).name})"]
    assert seen.looked > 1


def test_an_environment_is_told_but_for_those_that_are_handed_secrets() -> None:
    with process(AWS_SECRET_ACCESS_KEY=SECRET) as pid:
        seen = places.environments(FORMS, frozenset())
        spared = places.environments(FORMS, places.family(pid))
    assert [one.place.startswith(f"environment of process {pid} (") for one in seen.sightings] == [True]
    assert spared.sightings == ()


def test_the_family_holds_children_and_all_that_this_process_descends_from() -> None:
    with process() as pid:
        kin = places.family(os.getpid())
    assert {pid, os.getpid(), os.getppid()} <= kin
