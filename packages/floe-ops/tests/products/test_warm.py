"""What is done before workers are forked: it leaves no thread behind, and survives what others left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from floe_core.plugins import Lane
from floe_ops import project
from floe_ops.products import places

# In a process of its own: the test's has threads of other tests.
SCRIPT = """
import os, sys
from pathlib import Path
import duckdb
from floe_ops.products import Ask, crew

before = len(os.listdir("/proc/self/task"))  # DuckDB's module starts one
crew.warm_up(Path(sys.argv[1]), Ask(home=Path(sys.argv[2])), None)
assert "dbt.adapters.duckdb" in sys.modules
from dbt_common.clients.jinja import template_cache
assert any("materialization table" in text for text in template_cache.file_cache), "no macro is compiled"
assert any("default__test_unique" in text for text in template_cache.file_cache), "no test has run"
left = len(os.listdir("/proc/self/task")) - before
sys.exit(f"{left} threads are left" if left else 0)
"""


def warmed(home: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", SCRIPT, str(project.root() / "demo/customer-360"), str(home)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)


def test_it_leaves_no_thread_and_takes_what_a_killed_one_left(tmp_path: Path) -> None:
    kept = places.warm(Lane.DUCKDB, tmp_path)
    kept.mkdir(parents=True)
    (kept / "warm.duckdb").write_text("cut off")
    (kept / "made").mkdir()
    (kept / "made/partial_parse.msgpack").write_bytes(b"cut off")
    done = warmed(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (kept / "made/partial_parse.msgpack").stat().st_size > len(b"cut off")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    kept = places.warm(Lane.DUCKDB, tmp_path)
    kept.mkdir(parents=True)
    with FileLock(kept / "lock"):
        done = warmed(tmp_path)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in kept.iterdir()] == ["lock"]
