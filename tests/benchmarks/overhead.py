"""What the automation itself costs, as ratios against the alternative in the same run.

    .venv/bin/python tests/benchmarks/overhead.py [--rounds 7]

Times are minima over the rounds: what a quiet moment of this machine can do. No test asserts them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
NOXFILE = str(ROOT / "noxfile.py")
IN_PROCESS = """
import time
from dbt.cli.main import dbtRunner
runner, words, times = dbtRunner(), {words!r}, []
for _ in range({rounds} + 1):
    start = time.perf_counter()
    assert runner.invoke(words).success
    times.append(time.perf_counter() - start)
print(min(times[1:]))
"""


def best(words: list[str], rounds: int, **environ: str) -> float:
    """Seconds of the fastest of `rounds` runs of `words`."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(words, cwd=ROOT, env={**os.environ, **environ}, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def hashing(rounds: int) -> tuple[float, float]:
    """Seconds to know every input's content: by git's index, and by reading every file."""
    sys.path.insert(0, str(ROOT / "packages/floe-ops/src"))
    from floe_ops import inputs

    def timed(work: object) -> float:
        start = time.perf_counter()
        assert callable(work)
        work()
        return time.perf_counter() - start

    indexed = min(timed(lambda: inputs.tree(ROOT)) for _ in range(rounds))
    read = min(timed(lambda: dict(inputs._walk(ROOT))) for _ in range(rounds))
    return indexed, read


def dbt(rounds: int) -> tuple[float, float]:
    """Seconds of one `dbt parse`: in a process that has done it before, and in a new one."""
    project = str(ROOT / "demo/customer-360")
    target = str(ROOT / ".floe/benchmark")
    words = ["parse", "--project-dir", project, "--profiles-dir", project, "--target-path", target, "--quiet"]
    words += ["--log-path", target]
    inside = IN_PROCESS.format(words=words, rounds=rounds)
    environ = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    said = subprocess.run([PYTHON, "-c", inside], cwd=ROOT, env=environ, check=True, capture_output=True, text=True)
    new = best([str(PYTHON), "-m", "dbt.cli.main", *words], rounds, DBT_SEND_ANONYMOUS_USAGE_STATS="false")
    return float(said.stdout.split()[-1]), new


def main() -> None:
    """Print one line a comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    nox = [str(PYTHON), "-m", "nox", "-f", NOXFILE]
    plain = best([*nox, "--version"], rounds)
    wrapped = best([str(ROOT / "noxw"), "--version"], rounds)
    indexed, read = hashing(rounds)
    inside, outside = dbt(max(3, rounds // 2))
    floe, python = best([str(PYTHON.with_name("floe")), "--help"], rounds), best([str(PYTHON), "-c", "pass"], rounds)
    rows = [
        ("noxw --version / nox --version", wrapped, plain),
        ("inputs by git's index / by reading", indexed, read),
        ("dbt parse in process / a new process", inside, outside),
        ("floe --help / python -c pass", floe, python),
    ]
    for title, ours, other in rows:
        print(f"{title:<40} {ours * 1000:8.0f} ms {other * 1000:8.0f} ms   ratio {ours / other:5.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
