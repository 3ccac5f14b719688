"""What the core costs: the command line, compiling from nine to ten thousand models, finding and importing plugins.

    .venv/bin/python tests/benchmarks/core.py [--rounds 5] [--json]

Each figure stands beside an alternative that is measured in the same run, because ratios travel between machines and
seconds do not. Times are minima over the rounds: what a quiet moment of this machine can do; those of imports are CPU
time, which other processes disturb less. No test asserts them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv/bin/python"
FLOE = PYTHON.with_name("floe")
LIBRARIES = "import pydantic, yaml, opentelemetry.trace, click"
DISCOVER = """
import time
from floe_core.registry import discover
start = time.perf_counter()
found = discover()
print(time.perf_counter() - start, len(found))
"""
DISTRIBUTIONS = """
import importlib.metadata, time
start = time.perf_counter()
found = importlib.metadata.entry_points()
print(time.perf_counter() - start)
"""
IMPORT = """
import importlib, time
import floe_core.plugins
from floe_core.registry import discover
modules = sorted({one.target.partition(":")[0] for one in discover()})
start = time.process_time()
for module in modules:
    importlib.import_module(module)
print(time.process_time() - start, len(modules))
"""
IMPORT_CORE = "import time; s = time.process_time(); import floe_core.registry; print(time.process_time() - s)"
PEAK = """
import resource, sys
from floe_core.cli import main
main(sys.argv[1:], standalone_mode=False)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
"""
MANIFEST = """apiVersion: floe.dev/v1
kind: Manifest
metadata: { name: bench, version: 1.0.0, owner: us }
plugins:
  compute: { type: duckdb }
governance: { policy_enforcement_level: warn, naming: { pattern: medallion }, require_depends_on: true }
"""
HEAD = """apiVersion: floe.dev/v1
kind: FloeSpec
metadata: { name: large, version: 1.0.0, owner: us, description: Generated. }
platform: { manifest: manifest.yaml }
transforms:
"""


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        title: What is measured, and beside what.
        unit: `ms` or `MiB`.
        ours: Our figure.
        other: The alternative's.
        limit: The most that is asked of our figure; None where only the ratio counts.
        ratio_limit: The most that is asked of the ratio; None where only the figure counts.
    """

    title: str
    unit: str
    ours: float
    other: float
    limit: float | None = None
    ratio_limit: float | None = None

    @property
    def ratio(self) -> float:
        """Ours over the alternative's."""
        return self.ours / self.other


def best(words: list[str | Path], rounds: int) -> float:
    """Milliseconds of the fastest of `rounds` runs of `words`."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def said(code: str, rounds: int) -> tuple[float, int]:
    """The fewest milliseconds that `code` says it took, a new interpreter each time, and how many things it found."""
    answers = []
    for _ in range(rounds):
        done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
        answers.append(done.stdout.split())
    return min(float(answer[0]) for answer in answers) * 1000, int(answers[0][-1]) if len(answers[0]) > 1 else 0


def peak(product: Path) -> float:
    """MiB that a process needs at most to compile `product`."""
    done = subprocess.run(
        [PYTHON, "-c", PEAK, "compile", product, "--output", os.devnull],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stderr.split()[-1]) / 2**20


def generate(folder: Path, models: int) -> Path:
    """A product of so many models, each of which reads up to three others."""
    product = folder / f"{models}-models"
    product.mkdir()
    (product / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    lines = [HEAD]
    for number in range(models):
        tier = ("bronze", "silver", "gold")[number % 3]
        reads = sorted({number // 2, number // 3, number - 1} - {number, -1}) if number else []
        names = ", ".join(f"{('bronze', 'silver', 'gold')[one % 3]}_model_{one}" for one in reads)
        lines.append(f"  - name: {tier}_model_{number}\n    tier: {tier}\n    description: Model {number}.\n")
        lines.append(f"    dependsOn: [{names}]\n    tags: [generated]\n")
    (product / "floe.yaml").write_text("".join(lines), encoding="utf-8")
    return product


def command_line(rounds: int) -> list[Row]:
    """`floe --help` and `floe compile` of a demo, whole processes."""
    bare = best([PYTHON, "-c", "pass"], rounds)
    libraries = best([PYTHON, "-c", LIBRARIES], rounds)
    demo: list[str | Path] = [FLOE, "compile", "demo/customer-360", "--output", os.devnull]
    return [
        Row("floe --help / python -c pass", "ms", best([FLOE, "--help"], rounds), bare, limit=300),
        Row("floe compile customer-360 / importing its libraries", "ms", best(demo, rounds), libraries, limit=600),
    ]


def large(rounds: int) -> list[Row]:
    """Compiling a thousand and ten thousand models: time and memory."""
    with tempfile.TemporaryDirectory() as temporary:
        one, thousand, many = (generate(Path(temporary), models) for models in (1, 1000, 10_000))

        def compiled(product: Path, times: int) -> float:
            return best([FLOE, "compile", product, "--output", os.devnull], times)

        least, middle, most = compiled(one, rounds), compiled(thousand, rounds), compiled(many, max(2, rounds // 2))
        held = [peak(product) for product in (one, thousand, many)]
    return [
        Row("compile 1,000 models / 1 model", "ms", middle, least, limit=1500),
        Row("compile 10,000 models / 1,000 models", "ms", most, middle, ratio_limit=12),
        Row("peak memory at 1,000 models / 1 model", "MiB", held[1], held[0]),
        Row("peak memory at 10,000 models / 1,000 models", "MiB", held[2], held[1], ratio_limit=10),
        Row(
            "memory per 1,000 models at 10,000 / at 1,000", "MiB", (held[2] - held[0]) / 10, max(held[1] - held[0], 0.1)
        ),
    ]


def plugins(rounds: int) -> list[Row]:
    """Finding every plugin, and importing the modules that their entry points name."""
    found, count = said(DISCOVER, rounds)
    library, _ = said(DISTRIBUTIONS, rounds)
    imported, modules = said(IMPORT, rounds)
    core, _ = said(IMPORT_CORE, rounds)
    return [
        Row(f"discovery of {count} plugins / importlib.metadata.entry_points()", "ms", found, library, limit=50),
        Row(f"importing {modules} entry modules / importing floe_core.registry", "ms", imported, core, limit=20),
    ]


def line(row: Row) -> str:
    """One row for people; a limit that is not kept is marked."""
    late = (row.limit is not None and row.ours > row.limit) or (
        row.ratio_limit is not None and row.ratio > row.ratio_limit
    )
    asked = [f"<= {row.limit:g} {row.unit}"] if row.limit is not None else []
    asked += [f"ratio <= {row.ratio_limit:g}"] if row.ratio_limit is not None else []
    text = f"{row.title:<68} {row.ours:9.1f} {row.unit:<3} {row.other:9.1f} {row.unit:<3}  ratio {row.ratio:6.2f}"
    return f"{text}  {'! ' if late else ''}{', '.join(asked)}".rstrip()


def main() -> None:
    """Print one line a comparison, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as cache:
        # Every measured process keeps its bytecode, as one does where floe is installed; the first round makes it.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = cache
        for part in (command_line, large, plugins):
            for row in part(asked.rounds):
                rows.append(row)
                if not asked.json:
                    print(line(row), flush=True)  # noqa: T201 - what it is for
    if asked.json:
        json.dump([{**asdict(row), "ratio": round(row.ratio, 3)} for row in rows], sys.stdout, indent=2)


if __name__ == "__main__":
    main()
