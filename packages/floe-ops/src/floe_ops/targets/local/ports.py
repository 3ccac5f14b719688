"""Ports on loopback: the remembered one, else the default, else a free one."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
# Below the range from which kernels take ports for outgoing connections, so that none slips in before the bind.
FREE_RANGE = (20000, 32000)
TRIES = 200


def assign(
    wanted: Mapping[str, int | None],
    remembered: Mapping[str, int],
    pairs: Mapping[str, tuple[str, int]] | None = None,
) -> dict[str, int]:
    """Give each name a port that nobody listens on, all different.

    All of them are held until the last is found; the time between this and the service's own bind stays open,
    which is why a start that meets a taken port asks again.

    Args:
        wanted: The default port by name; None where any free one will do.
        remembered: The ports of the last start by name, preferred over the defaults.
        pairs: Names whose program takes a second port at a fixed distance: the second's name, and the distance.

    Raises:
        MissingToolError: No free port was found.
    """
    given: dict[str, int] = {}
    with ExitStack() as held:
        for name in sorted(wanted, key=lambda each: wanted[each] is None):
            default = wanted[name]
            choices = [port for port in (remembered.get(name), default) if port]
            others = {port for other, port in wanted.items() if port and other != name}
            second, distance = (pairs or {}).get(name, ("", 0))
            given[name] = _take(name, choices, others, distance, held)
            if second:
                given[second] = given[name] + distance
    return given


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    held = _listen(port)
    if held is None:
        return False
    held.close()
    return True


def _take(name: str, choices: list[int], others: set[int], distance: int, held: ExitStack) -> int:
    low, high = FREE_RANGE
    for turn in range(len(choices) + TRIES):
        port = choices[turn] if turn < len(choices) else low + secrets.randbelow(high - low)
        if port not in others and _hold({port, port + distance}, held):
            return port
    raise MissingToolError(
        f"no free port for {name}",
        where=f"{HOST}, {low}-{high}",
        why=f"{TRIES} ports were tried and all are taken",
        remedy="end some of the programs that listen on this machine",
    )


def _hold(wanted: set[int], held: ExitStack) -> bool:
    """Listen on all of `wanted` until `held` is closed, or on none."""
    with ExitStack() as tried:
        for port in wanted:
            listener = _listen(port)
            if listener is None:
                return False
            tried.enter_context(listener)
        held.enter_context(tried.pop_all())
        return True


def _listen(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with suppress(OSError):
        # A port whose last connections are still winding down counts as free, as it does for the services.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1)
        return listener
    listener.close()
    return None
