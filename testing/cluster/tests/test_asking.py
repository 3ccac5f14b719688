from __future__ import annotations

import struct
from ipaddress import IPv4Address

import pytest
from bare_cluster import asking

NAME = "kubernetes.default.svc.cluster.local"


def answer(number: int, flags: int, address: str | None) -> bytes:
    head = struct.pack("!6H", number, flags, 1, int(address is not None), 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + IPv4Address(address).packed if address else b""
    return head + asking.query(NAME, number)[12:] + record


def test_a_query_holds_the_name_in_labels() -> None:
    packet = asking.query("a.bc", 7)
    assert packet == b"\0\7\1\0\0\1\0\0\0\0\0\0" + b"\1a\2bc\0" + b"\0\1\0\1"


def test_the_address_is_read_from_the_answer() -> None:
    assert asking.address_in(answer(7, 0x8580, "10.201.7.1"), 7) == IPv4Address("10.201.7.1")


@pytest.mark.parametrize(
    ("number", "flags", "address"),
    [
        (8, 0x8580, "10.201.7.1"),
        (7, 0x8583, None),
        (7, 0x8580, None),
        (7, 0x0100, "10.201.7.1"),
        (7, 0x8582, "10.201.7.1"),
    ],
    ids=["another-question", "no-such-name", "no-record", "no-answer", "server-failed"],
)
def test_anything_else_is_no_address(number: int, flags: int, address: str | None) -> None:
    assert asking.address_in(answer(number, flags, address), 7) is None
