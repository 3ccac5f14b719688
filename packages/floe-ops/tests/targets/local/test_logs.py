from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pytest
from floe_core.errors import UsageError
from floe_ops.targets.local import logs, waiting
from floe_ops.targets.local.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.make()
    (layout.logs / "s3.log").write_text("".join(f"line {n}\n" for n in range(500)), encoding="utf-8")
    (layout.logs / "otel.log").write_bytes(b"bad \xff byte\n")
    return layout


def test_the_last_lines_of_one_service(layout: Layout) -> None:
    assert list(logs.last(logs.files(layout, "s3"), 2)) == ["line 498", "line 499"]


def test_several_services_are_told_apart(layout: Layout) -> None:
    said = list(logs.last(logs.files(layout), 1))
    assert said == ["s3          | line 499", "otel        | bad \ufffd byte"]


def test_an_unknown_service_is_a_usage_error(layout: Layout) -> None:
    with pytest.raises(UsageError, match="no service named 'minio'"):
        logs.files(layout, "minio")


def test_following_goes_on_over_half_lines_and_through_a_rotation(layout: Layout) -> None:
    path = layout.logs / "s3.log"
    writing = threading.Event()

    def write() -> None:
        writing.wait(10)
        with path.open("a", encoding="utf-8") as file:
            for part in ("one\ntw", "o\n"):
                file.write(part)
                file.flush()
        writing.clear()
        writing.wait(10)
        path.write_text("three\n", encoding="utf-8")  # shorter than before, as after a rotation

    writer = threading.Thread(target=write)
    writer.start()
    following = logs.follow({"s3": path})
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(itertools.islice(following, 3)))
    reader.start()
    deadline = time.monotonic() + 10
    while reader.is_alive() and time.monotonic() < deadline:
        writing.set()  # the first for the lines, the second for the rotation, once the lines were read
        reader.join(0.3)
    writer.join(10)
    assert seen == ["one", "two", "three"]


@pytest.mark.parametrize(
    "line",
    [
        "listen tcp 127.0.0.1:4317: bind: address already in use",
        "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8181): address already in use",
        "Port 9000 is already in use",
    ],
)
def test_a_taken_port_is_read_from_a_log(line: str) -> None:
    assert waiting.PORT_TAKEN.search(line)
    assert not waiting.PORT_TAKEN.search("the volume is in use by bucket floe")
