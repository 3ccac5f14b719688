from __future__ import annotations

import contextlib
import queue
import threading
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
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in logs.follow({"s3": path}):
            lines.put(line)

    def write(text: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    threading.Thread(target=read, daemon=True).start()
    write("first\n")
    while lines.empty():  # it follows from some moment on: what was written before that is not its business
        write("first\n")
        with contextlib.suppress(queue.Empty):
            lines.put(lines.get(timeout=0.3))
    write("one\ntw")
    write("o\n")
    seen = [line for line in iter(lambda: lines.get(timeout=10), "two") if line != "first"]
    path.write_text("three\n", encoding="utf-8")  # shorter than before, as after a rotation
    assert [*seen, lines.get(timeout=10)] == ["one", "three"]


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
