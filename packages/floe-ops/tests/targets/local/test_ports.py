from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from floe_core.errors import MissingToolError
from floe_ops.targets.local import ports
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ports.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def _free() -> int:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        return int(probe.getsockname()[1])


def test_the_default_is_given_where_it_is_free() -> None:
    port = _free()
    assert ports.assign({"s3": port}, {}) == {"s3": port}


def test_the_remembered_port_comes_before_the_default() -> None:
    default, remembered = _free(), _free()
    assert ports.assign({"s3": default}, {"s3": remembered}) == {"s3": remembered}


def test_a_taken_port_is_replaced_by_a_free_one(taken: int) -> None:
    given = ports.assign({"s3": taken}, {"s3": taken})["s3"]
    assert given != taken
    assert ports.FREE_RANGE[0] <= given < ports.FREE_RANGE[1]
    assert ports.is_free(given)
    assert not ports.is_free(taken)


def test_a_port_taken_on_all_addresses_counts_as_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 # nosec B104 - the case under test
        listener.listen()
        assert not ports.is_free(listener.getsockname()[1])


def test_a_port_whose_last_connection_just_ended_is_free_again() -> None:
    with socket.create_server((ports.HOST, 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((ports.HOST, port)):
            served, _ = listener.accept()
            served.close()  # the server closes first, so the port goes into TIME_WAIT
    assert ports.is_free(port)


@given(st.dictionaries(st.text(min_size=1), st.none(), max_size=12))
def test_no_port_is_given_twice(wanted: dict[str, None]) -> None:
    given = ports.assign(wanted, dict.fromkeys(wanted, 25_000))
    assert len(set(given.values())) == len(wanted)


def test_nobody_gets_the_default_of_another() -> None:
    mine, yours = _free(), _free()
    assert ports.assign({"a": mine, "b": yours}, {"a": yours}) == {"a": mine, "b": yours}


def test_a_pair_is_given_together(taken: int) -> None:
    given = ports.assign({"admin": taken - 7}, {}, {"admin": ("admin-grpc", 7)})
    assert given["admin-grpc"] == given["admin"] + 7
    assert given["admin"] != taken - 7  # its second port is taken
    assert ports.is_free(given["admin"])
    assert ports.is_free(given["admin-grpc"])


def test_no_free_port_at_all_is_said(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    monkeypatch.setattr(ports, "FREE_RANGE", (taken, taken + 1))
    with pytest.raises(MissingToolError, match="no free port for s3"):
        ports.assign({"s3": taken}, {})
