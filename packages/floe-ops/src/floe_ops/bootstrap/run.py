"""Running the bootstrap, or planning it: look, make what is missing, look again, verify all by value."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from floe_catalog_polaris.errors import (
    PolarisAnswerError,
    PolarisConflictError,
    PolarisUnavailableError,
    PolarisUnreachableError,
)
from floe_core.errors import NotReadyError
from floe_core.telemetry import span
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from floe_ops import readiness
from floe_ops.bootstrap.pieces import Piece, check_access, pieces
from floe_ops.clients.object_store import BucketState

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_catalog_polaris.client import PolarisClient

    from floe_ops.clients.object_store import ObjectStore
    from floe_ops.warehouse import Warehouse

SETTLE_S = 15.0
"""How long one piece may take to appear after it was made, with what other runs do at the same moment."""
SERVER_ERROR = 500


class Outcome(StrEnum):
    """What became of a piece."""

    CREATED = "created"
    PRESENT = "present"
    VERIFIED = "verified"
    MISSING = "to create"


@dataclass(frozen=True)
class Step:
    """One line of the step log: the piece, what became of it, wall seconds, and the values that were seen."""

    step: str
    outcome: Outcome
    seconds: float
    detail: str


@dataclass(frozen=True)
class Report:
    """A bootstrap that went well."""

    url: str
    catalog: str
    steps: tuple[Step, ...]
    seconds: float

    def detail(self, step: str) -> str:
        """The values that were last seen of a piece."""
        return next(one.detail for one in reversed(self.steps) if one.step == step)


def bootstrap(
    warehouse: Warehouse,
    *,
    timeout_s: float = 60.0,
    create_bucket: bool = True,
    tell: Callable[[Step], None] = lambda _step: None,
    waiting: Callable[[str], None] = lambda _line: None,
) -> Report:
    """Make the warehouse what it should be and verify it by value.

    Args:
        warehouse: What is wanted, where, and how to sign in.
        timeout_s: How long to wait for Polaris and for the object store to answer, in seconds.
        create_bucket: False where a provisioner makes the bucket: it must be there then.
        tell: Takes each step as it ends.
        waiting: Takes a line when the wait for the server changes.

    Raises:
        CredentialsRefusedError: Polaris or the object store refused the credentials or the act.
        WrongStateError: Something is there with other values, or the bucket is missing and not ours to make.
        NotReadyError: A server gave no answer in time.
        UsageError: Something needed is not known.
    """
    start = time.monotonic()
    store = warehouse.object_store()
    with span("bootstrap", **{"floe.catalog": warehouse.catalog, "floe.polaris.url": warehouse.url}):
        _reach(warehouse, store, timeout_s, waiting)
        with warehouse.client() as client:
            todo = pieces(warehouse, client, store, create_bucket=create_bucket)
            steps = [_tell(tell, ensure(piece)) for piece in todo]
            steps += [_tell(tell, step) for step in _verify(todo, warehouse, client)]
    return Report(warehouse.url, warehouse.catalog, tuple(steps), time.monotonic() - start)


def plan(warehouse: Warehouse, *, timeout_s: float = 60.0, create_bucket: bool = True) -> tuple[Step, ...]:
    """What a bootstrap would do; changes nothing.

    Raises:
        FloeError: As `bootstrap`, for what is already there.
    """
    store = warehouse.object_store()
    _reach(warehouse, store, timeout_s, lambda _line: None)
    steps: list[Step] = []
    missing: set[str] = set()
    with warehouse.client() as client:
        for piece in pieces(warehouse, client, store, create_bucket=create_bucket):
            start = time.monotonic()
            seen = None if missing.intersection(piece.needs) else piece.look()
            if seen is None:
                missing.add(piece.name)
            outcome = Outcome.MISSING if seen is None else Outcome.PRESENT
            steps.append(Step(piece.name, outcome, time.monotonic() - start, seen or piece.wanted))
    return tuple(steps)


def ensure(piece: Piece, settle_s: float = SETTLE_S) -> Step:
    """Look, make where it is missing, and look again until it is there.

    Raises:
        NotReadyError: It was made, but did not appear within `settle_s` seconds.
        FloeError: The server refused, or it is there and wrong.
    """
    start = time.monotonic()
    with span(f"bootstrap {piece.name}", **{"floe.piece": piece.name}):
        seen = piece.look()
        if seen is not None:
            return Step(piece.name, Outcome.PRESENT, time.monotonic() - start, seen)
        made, seen = Retrying(
            retry=retry_if_exception(_passing),
            wait=wait_exponential(multiplier=0.05, max=1),
            stop=stop_after_delay(settle_s),
            reraise=True,
        )(_make, piece)
    return Step(piece.name, Outcome.CREATED if made else Outcome.PRESENT, time.monotonic() - start, seen)


def _make(piece: Piece) -> tuple[bool, str]:
    made = piece.make()
    seen = piece.look()
    if seen is None:
        raise _NotThereError(
            f"{piece.wanted} was made but is not there",
            where="bootstrap",
            why="the server accepted it and does not list it",
            remedy="run `invoke polaris.bootstrap` again; if it stays, look into the server's log",
        )
    return made, seen


class _NotThereError(NotReadyError):
    """Made, accepted, and not listed yet."""


def _passing(error: BaseException) -> bool:
    """Errors after which the same act may do: lost answers, and clashes with another run."""
    if isinstance(error, PolarisUnreachableError | PolarisUnavailableError | PolarisConflictError | _NotThereError):
        return True
    return isinstance(error, PolarisAnswerError) and error.status >= SERVER_ERROR


def _reach(warehouse: Warehouse, store: ObjectStore, timeout_s: float, waiting: Callable[[str], None]) -> None:
    terms = readiness.Terms(timeout_s, with_catalog=False)
    readiness.wait(lambda: warehouse, terms, waiting)
    found = store.wait(warehouse.bucket, max(terms.left_s, 1.0))
    if found.state is BucketState.UNREACHABLE:
        raise found.error()


def _verify(todo: tuple[Piece, ...], warehouse: Warehouse, client: PolarisClient) -> list[Step]:
    """Every piece once more, after all is made, and the Iceberg side of it."""
    steps = []
    for piece in todo:
        start = time.monotonic()
        seen = piece.look()
        if seen is None:
            raise _NotThereError(
                f"{piece.wanted} is gone again",
                where=warehouse.url,
                why="it was there a moment ago",
                remedy="see whether something else deletes it, then run `invoke polaris.bootstrap` again",
            )
        steps.append(Step(piece.name, Outcome.VERIFIED, time.monotonic() - start, seen))
    start = time.monotonic()
    access = check_access(warehouse, client)
    steps.append(Step("access", Outcome.VERIFIED, time.monotonic() - start, access))
    return steps


def _tell(tell: Callable[[Step], None], step: Step) -> Step:
    tell(step)
    return step
