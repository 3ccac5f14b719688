"""The front door of floe.

    ./noxw -s final                  take the platform from nothing to a verdict, sessions side by side
    ./noxw -j 1 -s final             the same, one after the other
    ./noxw -s security               one work unit of the plan
    ./noxw -s helm_bootstrap -- --target cluster     the same proof on the chart in a real Kubernetes
    ./noxw -s final -- --force       prove everything again
    ./noxw -s tests                  the test suite        (./noxw -s lint: the static gates)

A session asks the ledger whether its proof still stands, and if not makes the environment and calls its Invoke
tasks. Names, requirements and phases are read from packages/floe-ops/src/floe_ops/plan.toml. The verdict is
written when Nox ends, whatever happened: .floe/report/verdict.json and .floe/report/index.html.
Options after `--`: --force, --allow-stale-advisories, --target NAME; `tests` passes them to pytest.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import ctypes
import fcntl
import io
import json
import os
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
SPLIT = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)

if os.environ.get("PYTHONDONTWRITEBYTECODE"):
    # Every process would compile all that it imports, seconds each for dbt: it is kept, but not beside the sources.
    os.environ.update(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(ROOT / ".floe" / "pycache"))


def asked() -> argparse.Namespace:
    """What Nox was asked for, by its own rules: `names` of sessions, `jobs`, and whether it only lists or explains."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-s", "-e", "--session", "--sessions", dest="names", nargs="*", action="extend", default=[])
    parser.add_argument("-t", "--tags", nargs="*", action="extend", default=[])
    parser.add_argument("-j", "--parallel", dest="jobs", default=os.environ.get("NOX_PARALLEL"))
    parser.add_argument(
        "-l", "--list", "--list-sessions", "--usage", "-h", "--help", "--version", dest="looks", nargs="?", const=True
    )
    for others in (("-k", "--keywords"), ("-f", "--noxfile"), ("-p", "--pythons"), ("-R",), ("-x",)):
        parser.add_argument(*others, dest=others[0], nargs="?")
    said, _ = parser.parse_known_args(sys.argv[1:SPLIT])
    said.names += [name for name in os.environ.get("NOXSESSION", "").split(",") if name]
    said.names += [name for name, entry in PLAN.items() if f"phase{entry['phase']}" in said.tags]
    if not (said.names or said.tags or getattr(said, "-k")):
        said.names = list(nox.options.sessions or ())
    return said


def options(*, ours: bool) -> argparse.Namespace:
    """The words after `--`; where no session of the plan was asked for they are pytest's."""
    parser = argparse.ArgumentParser(prog="./noxw -s SESSION --", allow_abbrev=False)
    parser.add_argument("--force", action="store_true", help="prove everything again")
    parser.add_argument("--allow-stale-advisories", action="store_true", help="under CI=true: accept an old snapshot")
    parser.add_argument("--target", default=os.environ.get("FLOE_TARGET", "local"), help="where the platform runs")
    return parser.parse_args(sys.argv[SPLIT + 1 :] if ours else [])


def begin() -> Path:
    """Name this run and tell every child about it; the folder is made by the first session that runs."""
    if WORKER:
        end_with(int(os.environ["FLOE_RUN_PID"]))
    else:
        run = ROOT / ".floe" / "run" / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"
        outer = os.environ.get("TRACEPARENT", "").split("-")
        continued = len(outer) == 4  # noqa: PLR2004 - W3C Trace Context: version, trace, parent, flags
        said = options(ours=bool(PLAN.keys() & set(ASKED.names)))
        os.environ.update(
            FLOE_ROOT=str(ROOT),
            FLOE_RUN_ID=run.name,
            FLOE_RUN_DIR=str(run),
            FLOE_RUN_PID=str(os.getpid()),
            FLOE_RUN_STARTED=str(time.time_ns()),
            FLOE_RUN_ASKED=",".join(name for name in ASKED.names if name in PLAN),
            FLOE_TRACE_ID=outer[1] if continued else secrets.token_hex(16),
            FLOE_ROOT_SPAN=secrets.token_hex(8),
            FLOE_PARENT_SPAN=outer[2] if continued else "",
            FLOE_FINAL="1" if "final" in ASKED.names else "",
            FLOE_FORCE="1" if said.force or os.environ.get("CI") == "true" else "",
            FLOE_ALLOW_STALE="1" if said.allow_stale_advisories else "",
            FLOE_TARGET=said.target,
        )
        atexit.register(finish, run)
    for sign in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(sign) is not signal.SIG_IGN:  # nohup ignores SIGHUP, and so do we then
            signal.signal(sign, _interrupt)
    return Path(os.environ["FLOE_RUN_DIR"])


def end_with(parent: int) -> None:
    """End when the process `parent`, which started this one, is gone: by the kernel on Linux, else by looking."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGTERM)
    if sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends like Ctrl-C, once: Nox by itself would leave its children behind."""
    signal.signal(number, lambda *_: None)
    raise KeyboardInterrupt


class _NotATerminal(io.TextIOWrapper):
    """Standard output that says it is no terminal."""

    def isatty(self) -> bool:
        return False


def side_by_side() -> bool:
    """Whether sessions run in parallel: as asked by -j, else where `final` alone has something to prove."""
    if ASKED.jobs:
        return bool(ASKED.jobs != "1")
    if ASKED.looks or ASKED.names != ["final"] or os.environ["FLOE_TARGET"] == "cluster":
        return False  # on a cluster the sessions share one release, and some break it to see it heal
    if all(one["state"] == "up_to_date" for one in decisions().values()):
        return False
    nox.options.parallel = os.cpu_count() or 1
    return nox.options.parallel > 1


def ops(module: str, *words: str) -> int:
    """Run a standard-library module of floe_ops, before or beside the environment; returns its exit code."""
    command = [sys.executable, "-S", "-m", f"floe_ops.{module}", *words]  # -S: no site-packages are needed
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(OPS)})  # noqa: S603
    try:
        return child.wait()
    except BaseException:
        _end(child, group=False)
        raise


def decisions() -> dict[str, dict[str, object]]:
    """What the ledger says of every session; one process decides for all, before any other work."""
    path = RUN / "decisions.json"
    try:
        RUN.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(
            f"✗ cannot write {error.filename}: {error.strerror}\n  next:  free the disk, or clone into your own folder"
        )
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists() and ops("ledger", "decide"):
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
    """Run Invoke with these words, its output live (and in the run's log, but on a terminal); returns the exit code."""
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
        code = 5 if ops("environment", "ensure") else stream(session, words)
        status, reason = ("failed", f"exit code {code}") if code else ("passed", "")
    finally:
        keep(name, status=status, reason=reason, ended=time.time_ns(), **state)
        ops("ledger", "close", name)
    if status == "failed":
        session.error(f"{name} failed ({reason})")


class Lines(threading.Thread):
    """Prints what the sessions of a parallel run write, as it comes, each line under its session's name."""

    def __init__(self, run: Path) -> None:
        super().__init__(daemon=True)
        self.run_dir, self.seen, self.over = run, dict[Path, int](), threading.Event()

    def run(self) -> None:
        """Look twenty times a second until `end`, and once more then."""
        while not self.over.wait(0.05):
            self.show()
        self.show()

    def show(self) -> None:
        """Print the whole lines that came since the last look."""
        for log in sorted(self.run_dir.glob("*.log")):
            with log.open("rb") as source:
                source.seek(self.seen.get(log, 0))
                for line in source:
                    if line.endswith(b"\n"):
                        self.seen[log] = self.seen.get(log, 0) + len(line)
                        sys.stdout.write(f"{log.stem:>18} │ {line.decode(errors='replace')}")

    def end(self) -> None:
        """Print what is left, then stop."""
        self.over.set()
        self.join(1)


def finish(run: Path) -> None:
    """Write the verdict, whatever happened, and end the services that this run started."""
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    if LINES:
        LINES.end()
    if run.is_dir():
        ops("verdict", "close")


def unit(name: str) -> Callable[[Callable[[nox.Session], None]], object]:
    """A session of the plan: its requirements and phase come from plan.toml."""
    entry = PLAN[name]
    return nox.session(name=name, requires=entry["requires"], tags=[f"phase{entry['phase']}"])


ASKED = asked()
LINES: Lines | None = None
RUN = begin()
if not WORKER and side_by_side():
    # Lines of several sessions and a redrawn status board cannot share a terminal: lines win.
    encoding = sys.stdout.encoding
    sys.stdout = _NotATerminal(sys.stdout.buffer, encoding=encoding, errors="replace", line_buffering=True)
    LINES = Lines(RUN)
    LINES.start()


@unit("helm_bootstrap")
def helm_bootstrap(session: nox.Session) -> None:
    """WU-1: bring the platform up, bootstrap catalog and bucket, prove both by value."""
    invoke(session, "platform.up", "polaris.bootstrap", "final.prove", "--unit", "WU1")


@unit("cube_multiarch")
def cube_multiarch(session: nox.Session) -> None:
    """WU-2: join two platform images into one index in a real registry and pull it back."""
    in_cluster = ("platform.up",) if os.environ["FLOE_TARGET"] == "cluster" else ()  # its pods are looked at there
    invoke(session, *in_cluster, "cube.multiarch", "final.prove", "--unit", "WU2")


@unit("dagster_migrate")
def dagster_migrate(session: nox.Session) -> None:
    """WU-3: audit every Dagster name in use; a live webserver and daemon start runs by GraphQL, sensor, schedule."""
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
    """WU-5: build the same models as Iceberg tables and read every one back with two other engines."""
    tasks = ("platform.up", "polaris.bootstrap", "dbt.demo", "--lane", "iceberg")
    invoke(session, *tasks, "final.prove", "--unit", "WU5", "--lane", "catalog")


@unit("dbt_demo")
def dbt_demo(session: nox.Session) -> None:
    """WU-5: both lanes agree, table for table."""
    invoke(session, "dbt.demo", "--compare")


@unit("plugins")
def plugins(session: nox.Session) -> None:
    """WU-6: 14 plugin types with their ABCs, discovery, and products that compile."""
    invoke(session, "plugins.check", "plugins.counterparts", "final.prove", "--unit", "WU6", "--side-by-side")


@unit("security")
def security(session: nox.Session) -> None:
    """WU-7: bandit, credentials wherever they may be, floors, advisories; never green without having looked."""
    tasks = ("security.bandit", "security.leaks", "security.audit")
    invoke(session, *tasks, "final.prove", "--unit", "WU7", "--side-by-side")


@unit("final")
def final(session: nox.Session) -> None:
    """WU-8: what is left of the e2e suite, the rules of the suite, and the gate over every criterion."""
    tasks = ("platform.up", "polaris.bootstrap", "final.traceability", "final.xfails")
    canary = ("security.credentials", "--canary")  # while the services whose secrets it looks for are up
    invoke(session, *tasks, "final.prove", "--unit", "WU8", *canary, "final.verdict", "--gate")


def outside(session: nox.Session, *words: str) -> None:
    """Run a program of the environment that belongs to no unit: it leaves nothing for the verdict."""
    if ops("environment", "ensure"):
        session.error("there is no environment: see above")
    unset = [name for name in os.environ if name.startswith(("FLOE_RUN_", "FLOE_TRACE_", "FLOE_ROOT", "FLOE_PARENT_"))]
    env = {
        **dict.fromkeys([*unset, "FLOE_FINAL", "FLOE_FORCE", "FLOE_ALLOW_STALE"]),
        "FLOE_PARENT_PID": str(os.getpid()),
    }
    session.run(str(PYTHON), "-m", *words, external=True, env=env)


@nox.session(allow_parallel=False)
def tests(session: nox.Session) -> None:
    """Unit and contract tests of every package and plugin; words after -- go to pytest."""
    words = [] if PLAN.keys() & set(ASKED.names) else session.posargs  # they are the plan's then
    outside(session, "pytest", *(words or ["-n", "auto", "--dist", "worksteal"]))


@nox.session(allow_parallel=False)
def lint(session: nox.Session) -> None:
    """ruff, mypy, shellcheck, zizmor, actionlint and the lock, over the whole tree."""
    outside(session, "invoke", "final.lint")


@nox.session(allow_parallel=False)
def docs(session: nox.Session) -> None:
    """Hold the generated pages of docs/ against the plan; `invoke final.docs --write` makes them new."""
    outside(session, "invoke", "final.docs")
