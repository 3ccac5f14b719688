"""Where advisories come from: OSV's live service where it answers, else the export in `FLOE_ADVISORIES`, else nowhere.

The live service knows most, so it comes first; who must not or will not ask it says so with `UV_OFFLINE=1`, uv's own
word for a machine without network, and has the export asked alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops.audits.ecosystems import GO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

LIVE_URL = "https://api.osv.dev/v1/query"
QUERY = "/v1/query"
PROBE_S = 3.0
# A version whose advisories every live source knows since 2019: a source that finds nothing there is no source.
CANARY = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.10"}


@dataclass(frozen=True)
class Source:
    """An OSV service in reach.

    Attributes:
        base: Its URL, without `/v1` and without a slash at its end.
        title: Its name for people.
        as_of: The day of its newest advisory.
        go_as_of: The same for Go modules; None where it knows nothing of them.
        live: Whether it is a service of the network.
    """

    base: str
    title: str
    as_of: date
    go_as_of: date | None = None
    live: bool = False

    @property
    def url(self) -> str:
        """Where a query is posted to."""
        return f"{self.base}{QUERY}"


@contextmanager
def in_reach(environ: Mapping[str, str], now: datetime) -> Iterator[Source | None]:
    """The advisory source in reach while the block runs, or None; decides within `PROBE_S`.

    Raises:
        MissingToolError: `FLOE_ADVISORIES` points at nothing.
        WrongStateError: The export is unusable, or `PIP_AUDIT_OSV_URL` is no query URL of OSV's.
    """
    url = environ.get("PIP_AUDIT_OSV_URL") or LIVE_URL
    if not url.endswith(QUERY):
        raise WrongStateError(
            "the advisory service cannot be asked",
            where=f"PIP_AUDIT_OSV_URL={url}",
            why=f"the URL does not end in {QUERY}",
            remedy=f"name the query URL of an OSV service, as {LIVE_URL}",
        )
    named = environ.get("FLOE_ADVISORIES")
    if not _offline(environ) and _answers(url):
        yield Source(url.removesuffix(QUERY), f"live, {url}", now.date(), now.date(), live=True)
    elif named:
        with _snapshot(Path(named), now) as found:
            yield found
    else:
        yield None


@contextmanager
def _snapshot(path: Path, now: datetime) -> Iterator[Source]:
    from floe_ops.audits import osv_server, osv_snapshot

    snapshots = [osv_snapshot.load(path, now=now)]
    if osv_snapshot.has(path, GO):
        snapshots.append(osv_snapshot.load(path, now=now, ecosystem=GO))
    of_go = snapshots[1].date.date() if len(snapshots) > 1 else None
    with osv_server.serving(*snapshots) as base:
        title = f"snapshot {snapshots[0].path} ({snapshots[0].count} records)"
        yield Source(base, title, snapshots[0].date.date(), of_go)


def without_proxy() -> dict[str, str]:
    """Environment for a child that is to reach the loopback server directly, and what the environment says besides."""
    named = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    hosts = ",".join(filter(None, (named, "127.0.0.1")))
    return {"NO_PROXY": hosts, "no_proxy": hosts}


def _offline(environ: Mapping[str, str]) -> bool:
    return environ.get("UV_OFFLINE", "").lower() in {"1", "true", "yes", "on"}


def _answers(url: str) -> bool:
    """Whether an OSV service answers there and knows the canary; name look-ups that hang are left behind."""
    answers: list[bool] = []

    def ask() -> None:
        import requests

        try:
            response = requests.post(url, json=CANARY, timeout=PROBE_S)
            answers.append(response.ok and bool(response.json().get("vulns")))
        except (requests.RequestException, ValueError, AttributeError):
            answers.append(False)

    thread = Thread(target=ask, daemon=True, name="probe-advisories")
    thread.start()
    thread.join(PROBE_S)
    return answers == [True]
