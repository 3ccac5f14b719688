"""One product in a process of its own: it waits to be let go, tells how it goes on, and ends with its parent."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from floe_core.cli.stopping import Stopped, stoppable
from floe_core.errors import ExitCode, FloeError
from floe_core.running import Listener
from floe_core.running import Places as Kept

from floe_ops import orphans, tracing
from floe_ops.products import demos
from floe_ops.products.build import Ask, build_product, environment
from floe_ops.products.places import Places
from floe_ops.products.result import BuildResult

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from floe_core.plugins import DbtNode, TableState
    from floe_core.running import Step

    from floe_ops.targets import Platform

GO = "go"
GRACE_S = 1.5
"""How long a worker may take to end after a signal: dbt cancels its queries and DuckDB closes its file."""
COLLECT = (50_000, 20, 50)
"""How rarely a worker looks for garbage: it lives for one build, and dbt makes few objects that refer to themselves."""


@dataclass(frozen=True)
class Job:
    """One product to be built.

    Attributes:
        folder: The product's folder.
        ask: What is asked of the build.
        platform: The running platform; None in the DuckDB lane.
    """

    folder: Path
    ask: Ask
    platform: Platform | None = None


@dataclass(frozen=True)
class Failure:
    """Why a product could not be built, as it is told between processes; a `FloeError`'s fields."""

    what: str
    where: str = ""
    why: str = ""
    remedy: str = ""
    exit_code: int = int(ExitCode.FAILED)

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Of a worker's error; of one that is no `FloeError` the kind and the words are told."""
        if isinstance(error, FloeError):
            return cls(error.what, error.where, error.why, error.remedy, int(error.exit_code))
        if isinstance(error, Stopped):
            return cls("it was stopped", exit_code=error.exit_code)
        kind = f"{type(error).__name__}: {error}"
        return cls("it failed in a way that nobody foresaw", why=kind, remedy="report it, with these words")


class Telling(Listener):
    """Tells the parent; dbt's nodes come from threads of their own."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._lock = threading.Lock()

    def tell(self, kind: str, **said: Any) -> None:
        """Send one message."""
        with self._lock:
            self._line.send((kind, said))

    def began(self, step: str) -> None:
        """A step begins."""
        self.tell("began", step=step)

    def ended(self, step: Step) -> None:
        """A step has ended."""
        self.tell("ended", step=step.name, seconds=step.seconds)

    def node_began(self, node: DbtNode) -> None:
        """A node begins."""
        self.tell("node_began", name=node.name)

    def node_ended(self, node: DbtNode) -> None:
        """A node has ended."""
        took = (node.finished_at - node.started_at).total_seconds() if node.started_at and node.finished_at else None
        said = {"name": node.name, "type": node.resource_type, "status": node.status, "rows": node.rows}
        self.tell("node_ended", seconds=took, **said)

    def found(self, table: TableState) -> None:
        """The catalog has a table."""
        self.tell("found", **asdict(table))

    def noted(self, note: str) -> None:
        """Something did not go as asked."""
        self.tell("noted", note=note)


def main(job: Job, line: Connection, parent: int) -> None:
    """What a worker does; the last message is `result` or `failure`."""
    orphans.end_with(parent)
    gc.freeze()  # what was inherited stays, and is no longer looked through
    gc.set_threshold(*COLLECT)
    telling = Telling(line)
    try:
        with stoppable(GRACE_S):
            if line.recv() != GO:
                return
            telling.tell("result", result=_built(job, telling).model_dump_json())
    except EOFError:  # the parent is gone before it let us go
        return
    except BaseException as error:  # noqa: BLE001 - whatever it was, the parent tells it beside the others
        telling.tell("failure", **asdict(Failure.of(error)))
    finally:
        tracing.flush()
        line.close()


def _built(job: Job, telling: Telling) -> BuildResult:
    name, ask = job.folder.name, job.ask
    if ask.retry:
        places = Places.of(name, ask.lane, ask.home)
        if not Kept.of(job.folder, ask.lane, places.target).undone.exists() and places.result.exists():
            telling.noted("the last build left nothing undone")
            return BuildResult.read(places.result)
    else:
        telling.began("debug")
        started = time.monotonic()
        with environment(job.platform.environment() if job.platform is not None else {}):
            demos.check_profile(job.folder, ask.lane, home=ask.home)
        telling.tell("ended", step="debug", seconds=time.monotonic() - started)
    return build_product(job.folder, ask, job.platform, listener=telling)
