"""The installed `floe validate` on wrong files: exit code, place, code and remedy, and never a traceback.

The whole corpus runs in process beside floe_core; here each folder of it gives a few cases to the command as people
run it. One process takes them all, so that starting it is paid for once.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.duckdb

CORPUS = Path(__file__).parents[2] / "packages" / "floe-core" / "tests" / "corpus"
HEADER = re.compile(rb"^# (expect|remedy|file|with): ?(.*)$", re.MULTILINE)
EVERY = 12
"""Of a large folder every twelfth case, of a small one each, so that all kinds of rules are among them."""

# Runs the console script's own entry point once for each line of standard input, and tells what it printed.
RUNNER = """
import contextlib, io, json, sys
from importlib.metadata import entry_points
(script,) = entry_points(group="console_scripts", name="floe")
main = script.load()
for line in sys.stdin:
    out, err, code = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(json.loads(line), prog_name="floe")
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Case:
    """A wrong file, what it is tried with, and what must be told of it."""

    path: Path
    told: dict[str, str]

    @property
    def words(self) -> list[str]:
        folder, other = self.path.parent.name, self.told.get("with", "")
        if folder == "manifest" or (folder == "policies" and b"\nkind: Manifest" in self.path.read_bytes()):
            return ["validate", str(CORPUS / (other or "product.yaml")), "--manifest", str(self.path)]
        own = other == "its own"
        return ["validate", str(self.path), *([] if own else ["--manifest", str(CORPUS / (other or "manifest.yaml"))])]

    @property
    def place(self) -> str:
        """What must stand before the code: `file:line:column`, or the file alone."""
        at = self.told["expect"].partition(" at ")[2]
        file = CORPUS / self.told["file"] if "file" in self.told else self.path
        return str(file) if at == "-" else f"{file}:{at}"


def cases() -> list[Case]:
    """The sample."""
    chosen: list[Path] = []
    for folder in ("product", "manifest", "policies", "dbt"):
        paths = sorted([*CORPUS.glob(f"{folder}/*.yaml"), *CORPUS.glob(f"{folder}/*/floe.yaml")])
        chosen += paths[:: EVERY if len(paths) > EVERY * 2 else 1]
    found = []
    for path in chosen:
        told = {key.decode(): value.decode().strip() for key, value in HEADER.findall(path.read_bytes())}
        # A plugin that is broken on purpose is declared by the runner in process, not installed here.
        if "FLOE-E203" not in told["expect"]:
            found.append(Case(path, told))
    return found


@pytest.mark.requirement("WU6-X4")
def test_each_wrong_file_has_its_code_its_place_and_its_remedy() -> None:
    sample = cases()
    assert len(sample) >= 20, "the corpus is not where it was"
    lines = "".join(json.dumps(case.words) + "\n" for case in sample)
    words = [sys.executable, "-c", RUNNER]
    done = subprocess.run(words, input=lines, capture_output=True, text=True, check=True, timeout=100)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(sample)
    for case, (code, out, err) in zip(sample, answers, strict=True):
        missing = case.told["expect"].startswith("FLOE-E001")
        assert code == (2 if missing else 4), f"{case.path.name}: {out}{err}"
        (first,) = [line for line in err.splitlines() if re.search(r"\S  FLOE-E\d{3}  ", line)]
        assert first.strip().startswith(f"{case.place}  {case.told['expect'][:9]}"), err
        assert f"next: {case.told['remedy']}" in err
        assert "Traceback" not in out + err
        assert out == ""


@pytest.mark.requirement("WU6-X4")
def test_the_command_itself_ends_with_its_exit_code_and_json() -> None:
    path = CORPUS / "product" / "tier-misspelt.yaml"
    command = Path(sys.executable).with_name("floe")
    words = [str(command), "validate", str(path), "--manifest", str(CORPUS / "manifest.yaml"), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (4, "")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["code"], problem["nearest"]) == ("FLOE-E101", "bronze")
