"""Planted faults: each kept as a patch, applied in a worktree, and found there by the session that it concerns.

A fault that the gate does not find survives, and a survivor fails. What is judged is the worktree's own verdict: the
session fails and names the cause, every session that requires it is blocked, all the others still pass.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, UsageError, WrongStateError
from pydantic import BaseModel, ConfigDict, Field

from floe_ops import console, plan, project

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path("tests") / "faults"
DEADLINE_S = 900.0
NO_SERVICE = "http://127.0.0.1:1/v1/query"
FINE = frozenset({"passed", "up_to_date"})


class Advisory(BaseModel):
    """An advisory of our own making, planted beside a fault: every version of `package` below `fixed_in`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str
    fixed_in: str


class Fault(BaseModel):
    """One planted fault.

    Attributes:
        id: Names the patch, `<id>.patch`.
        title: What is broken, in words.
        session: The session that must fail.
        message: What its reason in the verdict must contain.
        also: Sessions that fail for the same cause.
        advisory: An advisory to plant with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    session: str
    message: str = Field(min_length=3)
    also: tuple[str, ...] = ()
    advisory: Advisory | None = None

    def blocked(self, the_plan: plan.Plan) -> frozenset[str]:
        """The sessions that cannot run once this one (and those that fail with it) has failed."""
        failing = {self.session, *self.also}
        return frozenset(
            name for name in the_plan.sessions if name not in failing and failing & the_plan.prerequisites(name)
        )


@dataclass(frozen=True)
class Judgement:
    """What became of one fault; no problem means that it was found as it should be."""

    fault: Fault
    problems: tuple[str, ...]


def load(root: Path) -> tuple[Fault, ...]:
    """The faults of `tests/faults/faults.toml`."""
    raw = tomllib.loads((root / FOLDER / "faults.toml").read_text(encoding="utf-8"))
    return tuple(Fault.model_validate(entry) for entry in raw["fault"])


def run(*, only: str = "", session_only: bool = False) -> None:
    """Plant each fault on the last commit and print how it was found.

    Args:
        only: The id of one fault; all where empty.
        session_only: Run the session concerned (and what it requires) instead of `final`: says nothing of dependents.

    Raises:
        UsageError: No fault has that id.
        WrongStateError: A fault survived, or was found for another reason; each is named.
    """
    root = project.root()
    chosen = [fault for fault in load(root) if only in ("", fault.id)]
    if not chosen:
        names = ", ".join(fault.id for fault in load(root))
        raise UsageError(f"no fault has the id {only!r}", where="--only", why=f"the faults are: {names}")
    judgements = []
    for fault in chosen:
        with console.step(f"fault {fault.id}: {fault.title}"):
            judgements.append(Judgement(fault, _try(root, fault, session_only=session_only)))
        for problem in judgements[-1].problems:
            console.say(f"  {problem}")
    survivors = [f"{entry.fault.id}: {problem}" for entry in judgements for problem in entry.problems]
    if survivors:
        raise WrongStateError(
            f"planted faults were not found as they should be: {len(survivors)} problems",
            why="\n         ".join(survivors),
            remedy="see .floe/faults/<id>.log and <id>.verdict.json",
        )


def judge(fault: Fault, verdict: dict[str, Any], the_plan: plan.Plan, *, session_only: bool) -> tuple[str, ...]:
    """Hold a verdict against what the fault should have caused; a sentence for each difference."""
    units = {unit["session"]: unit for unit in verdict["units"]}
    mine = units.get(fault.session, {"status": "absent", "reason": ""})
    problems = []
    if mine["status"] != "failed":
        problems.append(f"survived: {fault.session} is {mine['status']}")
    elif fault.message not in mine["reason"]:
        problems.append(f"{fault.session} failed without naming {fault.message!r}: {mine['reason']}")
    if session_only:
        return tuple(problems)
    blocked = fault.blocked(the_plan)
    for name in the_plan.sessions:
        status = units.get(name, {"status": "absent"})["status"]
        if name in blocked and status != "blocked":
            problems.append(f"{name} requires what failed and should be blocked, but is {status}")
        elif name in fault.also and status not in {"failed", "blocked"}:
            problems.append(f"{name} shares the cause and should fail, but is {status}")
        elif name not in blocked and name not in (fault.session, *fault.also) and status not in FINE:
            problems.append(f"{name} has nothing to do with it and should pass, but is {status}")
    return tuple(problems)


def _try(root: Path, fault: Fault, *, session_only: bool) -> tuple[str, ...]:
    folder = project.state() / "faults"
    folder.mkdir(exist_ok=True)
    with _worktree(root, folder / fault.id) as tree:
        _git(tree, "apply", str(root / FOLDER / f"{fault.id}.patch"))
        environ = _environment(root, folder, fault)
        session = fault.session if session_only else "final"
        code = _noxw(tree, environ, session, folder / f"{fault.id}.log")
        verdicts = sorted((tree / ".floe" / "run").glob("*/verdict.json"))
        if not verdicts:
            return (f"no verdict was written; ./noxw -s {session} ended with {code}",)
        kept = Path(shutil.copy(verdicts[-1], folder / f"{fault.id}.verdict.json"))
        problems = judge(fault, json.loads(kept.read_text(encoding="utf-8")), plan.load(), session_only=session_only)
        return problems if code else (*problems, f"./noxw -s {session} ended with 0")


@contextmanager
def _worktree(root: Path, folder: Path) -> Iterator[Path]:
    """A checkout of the last commit in `folder`, gone again afterwards with the platform that it may have started."""
    _remove(root, folder)
    _git(root, "worktree", "add", "--detach", "--force", str(folder), "HEAD")
    try:
        yield folder
    finally:
        _remove(root, folder)


def _remove(root: Path, folder: Path) -> None:
    python = folder / ".venv" / "bin" / "python"
    if (folder / ".floe").is_dir() and python.is_file():
        environ = {**_clean(), "FLOE_ROOT": str(folder)}
        down = [str(python), "-m", "invoke", "platform.down"]
        subprocess.run(down, cwd=folder, env=environ, capture_output=True, timeout=60, check=False)  # noqa: S603 - ours
    if folder.exists():
        _git(root, "worktree", "remove", "--force", str(folder))
    _git(root, "worktree", "prune")


def _noxw(tree: Path, environ: dict[str, str], session: str, log: Path) -> int:
    """Run one session of the worktree, its output to `log`; it ends with this process."""
    with log.open("wb") as sink:
        child = subprocess.Popen(  # noqa: S603 - the project's own wrapper
            [str(tree / "noxw"), "-s", session, "--", "--force"],
            cwd=tree,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            return child.wait(DEADLINE_S)
        except BaseException:
            child.terminate()  # the noxfile ends its own children
            child.wait(30)
            raise


def _environment(root: Path, folder: Path, fault: Fault) -> dict[str, str]:
    """The environment of a run of its own, with the tools of the main checkout and the planted advisory."""
    environ = {**_clean(), "FLOE_TOOLS": os.environ.get("FLOE_TOOLS") or str(root / ".floe" / "tools")}
    beside = Path(sys.executable).parent  # uv, for a machine where only this environment has it
    environ["PATH"] = os.pathsep.join((os.environ.get("PATH", ""), str(beside)))
    if fault.advisory:
        environ["FLOE_ADVISORIES"] = str(_export(folder / f"{fault.id}.advisories", fault.advisory))
        environ["PIP_AUDIT_OSV_URL"] = NO_SERVICE  # which would not know what is planted
    return environ


def _clean() -> dict[str, str]:
    """The environment without what a run of this checkout has put into it."""
    kept = {"FLOE_ADVISORIES", "FLOE_POLARIS_HOME", "FLOE_PYTHON"}
    return {
        key: value
        for key, value in os.environ.items()
        if key in kept or not key.startswith(("FLOE_", "TRACEPARENT", "OTEL_", "POLARIS_", "AWS_", "NOX"))
    }


def _export(folder: Path, advisory: Advisory) -> Path:
    """An OSV export with one record, as fresh as now."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": advisory.fixed_in}]}]
    affected = [{"package": {"name": advisory.package, "ecosystem": "PyPI"}, "ranges": ranges}]
    record = {"id": "FLOE-PLANTED-1", "modified": datetime.now(UTC).isoformat(), "affected": affected}
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("FLOE-PLANTED-1.json", json.dumps(record))
    return folder


def _git(folder: Path, *words: str) -> None:
    git = shutil.which("git")
    if git is None:
        raise MissingToolError("git is not installed", remedy="install git; planted faults live in worktrees")
    done = subprocess.run(  # noqa: S603 - git with words of our own
        [git, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise WrongStateError(f"git {words[0]} failed", where=str(folder), why=done.stderr.strip())
