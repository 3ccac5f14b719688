"""One build at a time; who waits, knows for whom."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import NotReadyError
from floe_ops.products.holding import held

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from floe_ops.products.holding import held
with held(Path(sys.argv[1]), "tiny"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_build_waits_and_then_names_the_first(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(NotReadyError) as caught, held(lock, "tiny", wait_s=0.1):
            pytest.fail("two builds at once")
        assert f"the process {other.pid} " in caught.value.why
        other.stdin.close()
    with held(lock, "tiny", wait_s=0.1):
        assert lock.with_suffix(".holder").is_file()


def test_a_killed_build_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "build.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        other.kill()
    with held(lock, "tiny", wait_s=0.1):
        pass
