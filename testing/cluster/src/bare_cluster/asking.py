"""Asking a cluster from the machine: its API server with the administrator's key, and its DNS."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import contextmanager
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from bare_cluster.keys import ADMIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bare_cluster.keys import NodeKeys
    from bare_cluster.network import Network

ANSWER_S = 2.0
DNS_PORT = 53
DNS_ANSWER_S = 0.5
RECURSE, ANSWERED = 0x0100, 0x800F  # the flag of a query; those of an answer without error are 0x8000
ADDRESS, INTERNET = 1, 1
HEADER = 12


class Api:
    """The API server."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self._session = session
        self._url = url

    def get(self, path: str) -> Any:
        """What lies at `path`; None where nothing does.

        Raises:
            requests.RequestException: It does not answer, or refuses.
        """
        answer = self._session.get(self._url + path, timeout=ANSWER_S)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        return answer.json()

    def ready(self) -> None:
        """Return if it says that it is ready.

        Raises:
            requests.RequestException: It does not answer, or is not ready.
        """
        self._session.get(f"{self._url}/readyz", timeout=ANSWER_S).raise_for_status()


@contextmanager
def api(network: Network, keys: NodeKeys) -> Iterator[Api]:
    """The API server of the cluster on that network."""
    pair = keys.pair(ADMIN)
    with requests.Session() as session:
        session.trust_env = False  # no proxy: it is on this machine
        session.verify = str(keys.api.ca)
        session.cert = (str(pair.certificate), str(pair.key))
        session.mount("https://", HTTPAdapter(pool_maxsize=2))
        yield Api(session, network.url)


def address_of(name: str, server: IPv4Address) -> IPv4Address | None:
    """Ask the DNS `server` once for the address of `name`; None where it has none for it.

    Raises:
        OSError: It does not answer.
    """
    number = struct.unpack("!H", os.urandom(2))[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(DNS_ANSWER_S)
        asking.connect((str(server), DNS_PORT))
        asking.send(query(name, number))
        return address_in(asking.recv(512), number)


def query(name: str, number: int) -> bytes:
    """The packet that asks for the address of `name` (RFC 1035, section 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return struct.pack("!6H", number, RECURSE, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", ADDRESS, INTERNET)


def address_in(packet: bytes, number: int) -> IPv4Address | None:
    """The address at the end of an answer with one record; None for what is no such answer."""
    if len(packet) < HEADER:
        return None
    got, flags, _, answers = struct.unpack("!4H", packet[:8])
    if got != number or flags & ANSWERED != 0x8000 or answers != 1:  # noqa: PLR2004 - an answer, no error
        return None
    return IPv4Address(packet[-4:])
