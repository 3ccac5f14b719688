"""What has been proved, on which inputs: a session that passed on the same inputs need not run again.

`.floe/ledger.json` holds one record a session: the hash of its inputs and of each file among them, when it passed,
how long it took, what it saw, and when the record expires. The ledger skips proofs, never services: what needs the
platform brings it up by itself. `CI=true` and `--force` run everything; a run against a Polaris or in a cluster of
somebody else's (FLOE_POLARIS_URL, FLOE_KUBE_CONTEXT) is not recorded: nothing here can tell when that one changes.

`python -m floe_ops.ledger decide` decides for all sessions at once, `… close SESSION` records one that has passed.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from floe_ops import inputs, otlp_json, plan, project

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
CLUSTER, CONTEXT = "cluster", "FLOE_KUBE_CONTEXT"
ADVISORIES = "WU7-AC4"  # the one criterion that may lack its source at a desk
ADVISORY_HOST = ("api.osv.dev", 443)  # where pip-audit looks when FLOE_ADVISORIES names no snapshot


def read(root: Path) -> dict[str, Any]:
    """Records by session; empty where there is no ledger, or where it is of another schema or damaged."""
    try:
        ledger = json.loads((root / ".floe" / "ledger.json").read_text(encoding="utf-8"))
        return dict(ledger["sessions"]) if ledger["schema"] == SCHEMA else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


@contextlib.contextmanager
def _changing(root: Path) -> Iterator[dict[str, Any]]:
    """The records, to be changed by one process at a time; written whole when the block ends well."""
    with (root / ".floe" / "ledger.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sessions = read(root)
        yield sessions
        half = root / ".floe" / f".ledger.{os.getpid()}"
        half.write_text(json.dumps({"schema": SCHEMA, "sessions": sessions}), encoding="utf-8")
        half.replace(root / ".floe" / "ledger.json")


def surroundings(session: plan.Session) -> tuple[str, ...]:
    """What a proof depends on besides files: Python, target, the catalog's kind, the advisories' source."""
    seen = [f"python {sys.version_info[:2]}", f"target {os.environ.get('FLOE_TARGET', 'local')}"]
    if _on_platform(session):
        seen.append(f"polaris {_distribution()}")
    if session.name in {"security", "final"}:
        seen.append(f"advisories {_snapshot()} {os.environ.get('PIP_AUDIT_OSV_URL', '')}")
    return tuple(seen)


def _on_platform(session: plan.Session) -> bool:
    """Whether a session, or one that it requires, is proved on the platform's services."""
    sessions = plan.load().sessions
    target = os.environ.get("FLOE_TARGET", "local")
    return any(target in sessions[name].platform for name in (session.name, *plan.load().prerequisites(session.name)))


def _in_cluster(session: plan.Session) -> bool:
    """Whether a session is proved on the cluster target."""
    return _on_platform(session) and os.environ.get("FLOE_TARGET") == CLUSTER


def _patterns(session: plan.Session) -> tuple[str, ...]:
    """The files that a proof depends on: in a cluster all that final does, since the images hold the project."""
    return plan.load().sessions["final"].inputs if _in_cluster(session) else session.inputs


def _elsewhere(session: plan.Session) -> str:
    """The variable that names a server of somebody else's, on which a session is proved; empty where there is none."""
    named = (*(("FLOE_POLARIS_URL",) if _on_platform(session) else ()), *((CONTEXT,) if _in_cluster(session) else ()))
    return next((variable for variable in named if os.environ.get(variable)), "")


def _distribution() -> str:
    """Which Polaris FLOE_POLARIS_HOME names: its path, and names, sizes and times of its programs."""
    named = os.environ.get("FLOE_POLARIS_HOME", "")
    jars = sorted(Path(named).rglob("*.jar")) if named else []
    return named + "".join(f" {jar.name} {jar.stat().st_size} {jar.stat().st_mtime_ns}" for jar in jars)


def _snapshot() -> str:
    """Which advisories FLOE_ADVISORIES names: path, size and time of the export."""
    named = os.environ.get("FLOE_ADVISORIES", "")
    for path in (Path(named), Path(named, "PyPI", "all.zip")):
        if named and path.is_file():
            return f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}"
    return named


def decide(root: Path, *, force: bool, now: datetime) -> dict[str, dict[str, Any]]:
    """For every session of the plan: `up_to_date` or `run`, why, and the inputs it was decided on."""
    files = inputs.tree(root)
    records = read(root)
    decided = {}
    for session in plan.load().sessions.values():
        mine = inputs.select(files, _patterns(session))
        entry: dict[str, Any] = {"digest": inputs.digest(mine, *surroundings(session)), "files": mine}
        reason = _reason_to_run(session, records.get(session.name), entry, force=force, now=now)
        if reason is None:
            record = records[session.name]
            entry |= {"state": "up_to_date", "reason": f"passed at {_local(record['at'])} on the same inputs"}
        else:
            entry |= {"state": "run", "reason": reason}
        decided[session.name] = entry
    return decided


def _reason_to_run(
    session: plan.Session, record: dict[str, Any] | None, entry: dict[str, Any], *, force: bool, now: datetime
) -> str | None:
    """Why a session must run, or None when its record stands."""
    if force:
        return "everything runs (CI=true)" if os.environ.get("CI") == "true" else "everything runs (--force)"
    remote = _elsewhere(session)
    if remote:
        return f"{remote} names a server whose changes cannot be seen from here"
    if record is None:
        return "never passed here"
    if record["digest"] != entry["digest"]:
        return _difference(record["files"], entry["files"])
    return _reason_to_look_again(record, now)


def _reason_to_look_again(record: dict[str, Any], now: datetime) -> str | None:
    """Why a proof on the same inputs no longer stands: time has passed, or what was missing is there."""
    if record.get("expires") and datetime.fromisoformat(record["expires"]) <= now:
        return f"its proof expired at {record['expires']}: {record.get('expires_why', '')}"
    if record.get("incomplete") and advisories_in_reach():
        return "an advisory source is in reach now"
    return None


def _difference(old: dict[str, str], new: dict[str, str]) -> str:
    """The files that differ, the first three by name."""
    changed = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    if not changed:
        return "Python, target or advisory source is another one"
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""  # noqa: PLR2004 - three names fit a line
    return f"changed: {', '.join(changed[:3])}{more}"


def advisories_in_reach(limit: float = 0.4) -> bool:
    """Whether a source of advisories answers at all; a connection is opened and closed, nothing is sent.

    The look-up of the name has no limit of its own, so it is left behind after `limit` seconds.
    """
    if os.environ.get("FLOE_ADVISORIES"):
        return True
    live = urlsplit(os.environ.get("PIP_AUDIT_OSV_URL", ""))
    address = (live.hostname, live.port or 443) if live.hostname else ADVISORY_HOST
    reached = threading.Event()

    def reach() -> None:
        with contextlib.suppress(OSError):
            socket.create_connection(address, timeout=limit).close()
            reached.set()

    threading.Thread(target=reach, daemon=True).start()
    return reached.wait(limit)


def _local(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def close(root: Path, run: Path, name: str, *, now: datetime) -> None:
    """Keep what `name` has just proved; a session that failed loses its record."""
    session = plan.load().sessions[name]
    state = json.loads((run / f"{session.slug}.session.json").read_text(encoding="utf-8"))
    entry = json.loads((run / "decisions.json").read_text(encoding="utf-8"))[name]
    remote = _elsewhere(session)
    now_there = inputs.digest(inputs.select(inputs.tree(root), _patterns(session)), *surroundings(session))
    with _changing(root) as sessions:
        if state["status"] != "passed" or remote or now_there != entry["digest"]:
            sessions.pop(name, None)  # a file that changed while it ran leaves open which content was proved
            return
        evidence = evidence_of(run, session.slug)
        expires, why = _expiry(root, name)
        sessions[name] = {
            "digest": entry["digest"],
            "files": entry["files"],
            "at": now.isoformat(timespec="seconds"),
            "wall_s": round((state["ended"] - state["started"]) / 1e9, 3),
            "catalog": catalog_kind(root),
            "evidence": evidence,
            "totals": totals_of(run, session.slug),
            "incomplete": any(fact["status"] == "not_run" and fact["criterion"] == ADVISORIES for fact in evidence),
            "expires": expires,
            "expires_why": why,
        }


def catalog_kind(root: Path) -> str:
    """Which server speaks Polaris's protocol on the target's platform that is up; empty where none is."""
    in_cluster = os.environ.get("FLOE_TARGET") == CLUSTER
    place = ("cluster", "record.json") if in_cluster else ("run", "platform", "platform.json")
    try:
        said = json.loads((root / ".floe").joinpath(*place).read_text(encoding="utf-8"))
        return str(said["catalog_kind"])
    except (FileNotFoundError, ValueError, KeyError):
        return ""


def evidence_of(run: Path, slug: str) -> list[dict[str, str]]:
    """The facts that a session left in the run's folder; a last line cut short by a kill is left out."""
    facts = []
    with contextlib.suppress(FileNotFoundError):
        for line in (run / f"{slug}.evidence.jsonl").read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                facts.append(json.loads(line))
    return facts


def totals_of(run: Path, slug: str) -> dict[str, int]:
    """The test totals that a session left in the run's folder."""
    try:
        totals: dict[str, int] = json.loads((run / f"{slug}.totals.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return totals


def _expiry(root: Path, name: str) -> tuple[str | None, str]:
    """When the proof of `name` ends by itself: at the earliest expiry among xfails and advisories."""
    sources = {"final": ("xfails", "advisories"), "security": ("advisories",)}.get(name, ())
    dates = []
    for source in sources:
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
            said = json.loads((root / ".floe" / "run" / f"{source}.json").read_text(encoding="utf-8"))
            if said.get("expires"):
                moment = datetime.fromisoformat(said["expires"])
                dates.append((moment if moment.tzinfo else moment.replace(tzinfo=UTC), source))
    if not dates:
        return None, ""
    moment, source = min(dates)
    return moment.isoformat(), f"the earliest date among the {source}"


def main(words: list[str]) -> int:
    """`decide`: write decisions.json into the run's folder. `close NAME`: record one session."""
    root, run = project.root(), project.run_dir()
    if run is None:
        print("✗ the ledger works inside of a Nox run: call ./noxw -s SESSION", file=sys.stderr)
        return 2
    now = datetime.now(UTC)
    if words[0] == "close":
        close(root, run, words[1], now=now)
        otlp_json.spool_session(root, run, os.environ, words[1])
        return 0
    decided = decide(root, force=os.environ.get("FLOE_FORCE") == "1", now=now)
    half = run / ".decisions"
    half.write_text(json.dumps(decided), encoding="utf-8")
    half.replace(run / "decisions.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
