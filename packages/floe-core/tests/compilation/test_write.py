"""A file is the old one or the new one, however its writer ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from floe_core.compilation.write import write_atomic

SIZE = 2_000_000
WRITER = """
import sys
from pathlib import Path
from floe_core.compilation.write import write_atomic
print("ready", flush=True)
while True:
    for letter in "ab":
        write_atomic(Path(sys.argv[1]), letter * int(sys.argv[2]))
        print(letter, flush=True)
"""


@pytest.mark.requirement("WU6-AC5")
@pytest.mark.parametrize("lines", range(1, 6))
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "artifacts.json"
    path.write_text("old")
    with subprocess.Popen([sys.executable, "-c", WRITER, path, str(SIZE)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        # Killed while it writes: after a line the next file is begun at once.
        for _ in range(lines):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(timeout=30) == -signal.SIGKILL
    text = path.read_text()
    assert text == "old" or text in {"a" * SIZE, "b" * SIZE}


def test_what_a_killed_writer_leaves_behind_is_cleared_by_the_next(tmp_path: Path) -> None:
    path, old, young = tmp_path / "a.json", tmp_path / ".a.json.floe-1", tmp_path / ".a.json.floe-2"
    for left in (old, young):
        left.write_text("half")
    os.utime(old, (0, 0))
    write_atomic(path, "new")
    assert {one.name for one in tmp_path.iterdir()} == {"a.json", young.name}


def test_others_may_read_it(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644
