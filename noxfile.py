"""The front door of floe.

    ./noxw -s final                  take the platform from nothing to a verdict
    ./noxw -j 2 -s final             the same, phases side by side
    ./noxw -s security               one work unit of the plan
    ./noxw -s final -- --force       prove everything again
    ./noxw -s tests                  the test suite        (./noxw -s lint: the static gates)

A session asks the ledger whether its proof still stands, and if not makes the environment and calls its Invoke
tasks. Names, requirements and phases are read from packages/floe-ops/src/floe_ops/plan.toml. The verdict is
written when Nox ends, whatever happened: .floe/report/verdict.json and .floe/report/index.html.
Options after `--`: --force, --allow-stale-advisories, --target NAME; `tests` passes them to pytest.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import functools
import io
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import nox

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

nox.needs_version = ">=2026.8"
nox.options.sessions = ["lint", "tests", "final"]
nox.options.default_venv_backend = "none"  # all sessions share one environment, made by floe_ops.environment
nox.options.allow_parallel = True

ROOT = Path(__file__).resolve().parent
OPS = ROOT / "packages" / "floe-ops" / "src"
PLAN = tomllib.loads((OPS / "floe_ops" / "plan.toml").read_text(encoding="utf-8"))["sessions"]
PYTHON = ROOT / ".venv" / "bin" / "python"
WORKER = "--parallel-worker" in sys.argv  # a child that `nox -j` started for one session
OPTIONS = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []


def begin() -> Path:
    """Name this run and tell every child about it; the folder is made by the first session that runs."""
    if not WORKER:
        run = ROOT / ".floe" / "run" / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
        outer = os.environ.get("TRACEPARENT", "").split("-")
        os.environ.update(
            FLOE_ROOT=str(ROOT),
            FLOE_RUN_ID=run.name,
            FLOE_RUN_DIR=str(run),
            FLOE_RUN_PID=str(os.getpid()),
            FLOE_RUN_STARTED=str(time.time_ns()),
            FLOE_TRACE_ID=outer[1] if len(outer) == 4 else secrets.token_hex(16),  # noqa: PLR2004 - W3C Trace Context
            FLOE_ROOT_SPAN=secrets.token_hex(8),
            FLOE_PARENT_SPAN=outer[2] if len(outer) == 4 else "",  # noqa: PLR2004 - W3C Trace Context
            FLOE_FINAL="1" if any("final" in word for word in [*sys.argv, os.environ.get("NOXSESSION", "")]) else "",
            FLOE_FORCE="1" if "--force" in OPTIONS or os.environ.get("CI") == "true" else "",
            FLOE_ALLOW_STALE="1" if "--allow-stale-advisories" in OPTIONS else "",
        )
        if "--target" in OPTIONS:
            os.environ["FLOE_TARGET"] = OPTIONS[OPTIONS.index("--target") + 1]
        atexit.register(finish, run)
    elif sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: end with the parent, also on its kill -9
    signal.signal(signal.SIGTERM, _interrupt)
    return Path(os.environ["FLOE_RUN_DIR"])


class _NotATerminal(io.TextIOWrapper):
    """Standard output that says it is no terminal."""

    def isatty(self) -> bool:
        return False


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends like Ctrl-C: Nox by itself would leave its children behind."""
    raise KeyboardInterrupt


def side_by_side() -> bool:
    """Whether sessions run in parallel: as asked by -j, else where `final` has something to prove and cores to use."""
    asked = re.search(r" (?:-j|--parallel)[ =]?(\w+)", " ".join(sys.argv))
    jobs = asked[1] if asked else os.environ.get("NOX_PARALLEL")
    if jobs:
        return jobs != "1"
    looks = {"-l", "--list", "--list-sessions", "--usage", "--help", "-h", "--version"} & set(sys.argv)
    if looks or not os.environ["FLOE_FINAL"] or all(one["state"] == "up_to_date" for one in decisions().values()):
        return False
    nox.options.parallel = os.cpu_count() or 1
    return nox.options.parallel > 1


def ops(module: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a standard-library module of floe_ops, before or beside the environment."""
    env = {**os.environ, "PYTHONPATH": str(OPS)}
    return subprocess.run([sys.executable, "-m", f"floe_ops.{module}", *words], cwd=ROOT, env=env, check=False)  # noqa: S603


def decisions() -> dict[str, dict[str, object]]:
    """What the ledger says of every session; one process decides for all, before any other work."""
    RUN.mkdir(parents=True, exist_ok=True)
    path = RUN / "decisions.json"
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists() and ops("ledger", "decide").returncode:
            sys.exit("the ledger could not decide: see above")
    decided: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return decided


def keep(session: str, **state: object) -> None:
    """Write what is known of a session into the run's folder, whole or not at all."""
    slug = session.replace("(", "-").replace(")", "")
    half = RUN / f".{slug}.{os.getpid()}"
    half.write_text(json.dumps({"session": session, **state}), encoding="utf-8")
    half.replace(RUN / f"{slug}.session.json")


def stream(session: nox.Session, words: tuple[str, ...]) -> int:
    """Run Invoke with these words, its output live and in the run's logs; returns the exit code."""
    slug = session.name.replace("(", "-").replace(")", "")
    log = RUN / f"{slug}.log"
    env = {**os.environ, "FLOE_SESSION": session.name, "FLOE_PARENT_PID": str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    quiet = session.parallel or not sys.stdout.isatty()
    with log.open("ab") as sink:
        child = subprocess.Popen(  # noqa: S603
            [str(PYTHON), "-m", "invoke", *words],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=(sink if session.parallel else subprocess.PIPE) if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            process_group=None if session.parallel else 0,
        )
        try:
            for line in child.stdout or ():
                sink.write(line)
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
            return child.wait()
        except BaseException:
            _end(child, group=not session.parallel)
            raise


def _end(child: subprocess.Popen[bytes], *, group: bool) -> None:
    """End a child and all of its group: first asked, after a second and a half forced."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, sign) if group else child.send_signal(sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1.5)
            break


def invoke(session: nox.Session, *words: str) -> None:
    """Prove one session by its Invoke tasks, unless the ledger still holds the proof."""
    name, started = session.name, time.time_ns()
    decided = decisions()[name]
    if decided["state"] == "up_to_date":
        keep(name, status="up_to_date", reason=decided["reason"], started=started, ended=time.time_ns())
        session.log(f"{name}: up to date, {decided['reason']}")
        return
    session.log(f"{name}: {decided['reason']}")
    span = secrets.token_hex(8)
    os.environ["TRACEPARENT"] = f"00-{os.environ['FLOE_TRACE_ID']}-{span}-01"
    state: dict[str, object] = {"started": started, "span": span, "because": decided["reason"]}
    keep(name, status="running", **state)
    status, reason = "failed", "interrupted"
    try:
        code = 5 if ops("environment", "ensure").returncode else stream(session, words)
        status, reason = ("failed", f"exit code {code}") if code else ("passed", "")
    finally:
        keep(name, status=status, reason=reason, ended=time.time_ns(), **state)
        ops("ledger", "close", name)
    if status == "failed":
        session.error(f"{name} failed ({reason})")


def show_lines(run: Path) -> None:
    """Print what the sessions of a parallel run write, as it comes, each line under its session's name."""
    seen: dict[Path, int] = {}
    while True:
        for log in sorted(run.glob("*.log")):
            with log.open("rb") as source:
                source.seek(seen.get(log, 0))
                for line in source:
                    if line.endswith(b"\n"):
                        seen[log] = seen.get(log, 0) + len(line)
                        sys.stdout.write(f"{log.stem:>18} │ {line.decode(errors='replace')}")
        time.sleep(0.05)


def finish(run: Path) -> None:
    """Write the verdict, whatever happened, and end the services that this run started."""
    if run.is_dir():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ops("verdict", "close", "--", *sys.argv[1:])


def unit(name: str) -> Callable[[Callable[[nox.Session], None]], object]:
    """A session of the plan: its requirements and phase come from plan.toml."""

    def declare(body: Callable[[nox.Session], None]) -> object:
        entry = PLAN[name]
        tags = [f"phase{entry['phase']}"]

        @functools.wraps(body)
        def run(session: nox.Session) -> None:
            body(session)

        return nox.session(name=name, requires=entry["requires"], tags=tags)(run)

    return declare


RUN = begin()
if not WORKER and side_by_side():
    # Lines of several sessions and a redrawn status board cannot share a terminal: lines win.
    sys.stdout = _NotATerminal(sys.stdout.buffer, line_buffering=True)
    threading.Thread(target=show_lines, args=(RUN,), daemon=True).start()


@unit("helm_bootstrap")
def helm_bootstrap(session: nox.Session) -> None:
    """WU-1: bring the platform up, bootstrap catalog and bucket, prove both by value."""
    invoke(session, "platform.up", "polaris.bootstrap", "final.prove", "--unit", "WU1")


@unit("cube_multiarch")
def cube_multiarch(session: nox.Session) -> None:
    """WU-2: join two platform images into one index in a real registry and pull it back."""
    invoke(session, "cube.multiarch", "final.prove", "--unit", "WU2")


@unit("dagster_migrate")
def dagster_migrate(session: nox.Session) -> None:
    """WU-3: audit every Dagster name in use against Dagster's own annotations."""
    invoke(session, "dagster.audit", "final.prove", "--unit", "WU3")


@unit("otel")
def otel(session: nox.Session) -> None:
    """WU-4: send a trace to the collector and find it in Jaeger by its id."""
    invoke(session, "platform.up", "polaris.bootstrap", "otel.verify", "final.prove", "--unit", "WU4")


@unit("dbt_demo(duckdb)")
def dbt_demo_duckdb(session: nox.Session) -> None:
    """WU-5: build the demo products on DuckDB and compare what they find with the planted truths."""
    invoke(session, "dbt.demo", "--lane", "duckdb", "final.prove", "--unit", "WU5", "--lane", "duckdb")


@unit("dbt_demo(iceberg)")
def dbt_demo_iceberg(session: nox.Session) -> None:
    """WU-5: publish their marts as Iceberg tables and read them back with another engine."""
    tasks = ("platform.up", "polaris.bootstrap", "dbt.demo", "--lane", "iceberg")
    invoke(session, *tasks, "final.prove", "--unit", "WU5", "--lane", "catalog")


@unit("dbt_demo")
def dbt_demo(session: nox.Session) -> None:
    """WU-5: both lanes agree, table for table."""
    invoke(session, "dbt.demo", "--compare")


@unit("plugins")
def plugins(session: nox.Session) -> None:
    """WU-6: 14 plugin types with their ABCs, discovery, and products that compile."""
    invoke(session, "plugins.check", "final.prove", "--unit", "WU6")


@unit("security")
def security(session: nox.Session) -> None:
    """WU-7: bandit over the source, advisories over the lock; never green without having looked."""
    invoke(session, "security.bandit", "security.audit", "final.prove", "--unit", "WU7")


@unit("final")
def final(session: nox.Session) -> None:
    """WU-8: what is left of the e2e suite, the rules of the suite, and the gate over every criterion."""
    tasks = ("platform.up", "polaris.bootstrap", "final.traceability", "final.xfails")
    invoke(session, *tasks, "final.prove", "--unit", "WU8", "final.verdict", "--gate")


def outside(session: nox.Session, *words: str) -> None:
    """Run a program of the environment that belongs to no unit: it leaves nothing for the verdict."""
    ops("environment", "ensure").check_returncode()
    ours = ("RUN_ID", "RUN_DIR", "RUN_PID", "RUN_STARTED", "TRACE_ID", "ROOT_SPAN", "PARENT_SPAN", "FINAL", "FORCE")
    unset = dict.fromkeys(f"FLOE_{name}" for name in (*ours, "ROOT", "ALLOW_STALE"))
    session.run(str(PYTHON), "-m", *words, external=True, env=unset)


@nox.session(allow_parallel=False)
def tests(session: nox.Session) -> None:
    """Unit and contract tests of every package and plugin; words after -- go to pytest."""
    outside(session, "pytest", *(session.posargs or ["-n", "auto", "--dist", "worksteal"]))


@nox.session(allow_parallel=False)
def lint(session: nox.Session) -> None:
    """ruff, mypy, shellcheck, zizmor and the lock, over the whole tree."""
    outside(session, "invoke", "final.lint")


@nox.session(allow_parallel=False)
def docs(session: nox.Session) -> None:
    """Hold the generated pages of docs/ against the plan; `invoke final.docs --write` makes them new."""
    outside(session, "invoke", "final.docs")
