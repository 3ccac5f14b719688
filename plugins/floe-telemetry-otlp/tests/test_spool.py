from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_telemetry_otlp.spool import Spool, flush

if TYPE_CHECKING:
    from collections.abc import Callable


def _program(source: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", source, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _json(name: str) -> str:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": name}]}]}]})


def _aged(path: Path, seconds: float) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_is_spooled_is_sent_in_order_and_deleted(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    spool = Spool(tmp_path / "deep" / "spool")
    for name in ("first", "second"):
        spool.write(request_of(name, name))
    (spool.folder / "session.json").write_text(_json("third"), encoding="utf-8")
    result = flush(collector.url, spool.folder)
    assert collector.taken == ["first", "first", "second", "second", "third"]
    assert (result.sent, result.left, result.dropped, result.spans) == (3, 0, 0, 5)
    assert spool.pending() == []
    assert {one["path"] for one in collector.requests} == {"/v1/traces"}
    assert [one["Content-Type"] for one in collector.requests][-1] == "application/json"


def test_an_empty_or_absent_spool_asks_nobody(tmp_path: Path, dead: str) -> None:
    result = flush(dead, tmp_path / "none")
    assert (result.sent, result.left, result.notes) == (0, 0, ())
    assert not (tmp_path / "none").exists()


def test_a_dead_collector_loses_nothing(tmp_path: Path, dead: str, request_of: Callable[..., bytes]) -> None:
    spool = Spool(tmp_path)
    spool.write(request_of("a"))
    spool.write(request_of("b"))
    result = flush(dead, tmp_path)
    assert (result.sent, result.left, result.dropped) == (0, 2, 0)
    assert len(result.notes) == 1, "a dead collector is asked once, not once a file"


def test_a_slow_collector_costs_one_timeout(tmp_path: Path, collector: Any, request_of: Callable[..., bytes]) -> None:
    spool = Spool(tmp_path)
    for name in "abc":
        spool.write(request_of(name))
    collector.gate.clear()
    start = time.monotonic()
    result = flush(collector.url, tmp_path, timeout_s=0.2)
    assert time.monotonic() - start < 15
    assert (result.sent, result.left) == (0, 3)


@pytest.mark.parametrize(("status", "asked"), [(500, 3), (503, 3), (429, 1), (404, 1)])
def test_a_collector_in_trouble_is_left_alone(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes], status: int, asked: int
) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        spool.write(request_of(str(number)))
    collector.answer = lambda _: status
    result = flush(collector.url, tmp_path)
    assert len(collector.requests) == asked
    assert (result.sent, result.left, result.dropped) == (0, 5, 0)
    collector.answer = lambda _: 200
    assert flush(collector.url, tmp_path).sent == 5


def test_one_request_that_breaks_the_collector_blocks_no_other(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    spool = Spool(tmp_path)
    for name in ("a", "poison", "b"):
        spool.write(request_of(name))
    collector.answer = lambda names: 500 if "poison" in names else 200
    result = flush(collector.url, tmp_path)
    assert collector.taken == ["a", "b"]
    assert (result.sent, result.left) == (2, 1)


def test_what_the_collector_refuses_for_good_is_set_aside(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    spool = Spool(tmp_path)
    spool.write(request_of("bad"))
    spool.write(request_of("good"))
    collector.answer = lambda names: 400 if "bad" in names else 200
    result = flush(collector.url, tmp_path)
    assert (result.sent, result.left, result.dropped) == (1, 0, 1)
    assert "HTTP 400" in result.notes[0]
    assert len(list(tmp_path.glob("*.bad"))) == 1


def test_corrupt_files_are_set_aside_and_block_no_other(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    torn = request_of("torn")[:-3]
    _aged(_written(tmp_path / "1.pb", torn), 60)
    _aged(_written(tmp_path / "2.pb", b""), 59)
    _aged(_written(tmp_path / "3.json", _json("x").encode()[:-4]), 58)
    Spool(tmp_path).write(request_of("whole"))
    result = flush(collector.url, tmp_path)
    assert collector.taken == ["whole"]
    assert (result.sent, result.left, result.dropped) == (1, 0, 3)
    assert sorted(path.name for path in tmp_path.glob("*.bad")) == ["1.pb.bad", "2.pb.bad", "3.json.bad"]
    assert all(name in " ".join(result.notes) for name in ("1.pb", "2.pb", "3.json"))


def test_a_json_file_in_the_making_waits(tmp_path: Path, collector: Any) -> None:
    making = _written(tmp_path / "a.json", _json("x").encode()[:-4])
    assert flush(collector.url, tmp_path).left == 1
    making.write_text(_json("x"), encoding="utf-8")
    assert flush(collector.url, tmp_path).sent == 1


def test_a_file_that_cannot_be_read_blocks_no_other(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    (tmp_path / "0.pb").mkdir()
    Spool(tmp_path).write(request_of("good"))
    result = flush(collector.url, tmp_path)
    assert collector.taken == ["good"]
    assert (result.sent, result.left) == (1, 1)
    assert "0.pb stays" in result.notes[0]


def test_the_oldest_go_when_the_folder_is_full(tmp_path: Path, request_of: Callable[..., bytes]) -> None:
    body = request_of("a", "b")
    spool = Spool(tmp_path, limit=3 * len(body))
    lost = [spool.write(body) for _ in range(5)]
    assert lost == [0, 0, 0, 2, 2]
    assert len(spool.pending()) == 3


def test_set_aside_files_go_before_good_ones(tmp_path: Path, request_of: Callable[..., bytes]) -> None:
    body = request_of("a")
    _written(tmp_path / "0.pb.bad", body)
    spool = Spool(tmp_path, limit=len(body))
    spool.write(body)
    assert len(spool.pending()) == 1
    assert not list(tmp_path.glob("*.bad"))


def test_what_a_killed_writer_left_is_swept(tmp_path: Path, collector: Any, request_of: Callable[..., bytes]) -> None:
    old = _aged(_written(tmp_path / ".1.pb.tmp", b"half"), 3600)
    young = _written(tmp_path / ".2.pb.tmp", b"half")
    Spool(tmp_path).write(request_of("a"))
    flush(collector.url, tmp_path)
    assert collector.taken == ["a"]
    assert (old.exists(), young.exists()) == (False, True)


def test_a_file_in_the_making_is_not_seen(
    tmp_path: Path, request_of: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_halfway(path: Path, body: bytes) -> int:
        with path.open("wb") as file:
            file.write(body[: len(body) // 2])
        raise KeyboardInterrupt

    spool = Spool(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", killed_halfway)
    with pytest.raises(KeyboardInterrupt):
        spool.write(request_of("a"))
    assert len(list(tmp_path.iterdir())) == 1
    assert spool.pending() == []


DISK_FULL = """
import resource, sys
from pathlib import Path
from floe_telemetry_otlp.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    Spool(Path(sys.argv[1])).write(b"x" * 1000)
except OSError as error:
    print("refused:", error.strerror)
"""


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    out, err = _program(DISK_FULL, tmp_path).communicate(timeout=30)
    assert out == "refused: File too large\n", err
    assert list(tmp_path.iterdir()) == []


FLUSH = """
import sys
from pathlib import Path
from floe_telemetry_otlp.spool import flush
flush(sys.argv[1], Path(sys.argv[2]), timeout_s=20)
"""


def test_a_killed_flush_loses_nothing_and_locks_nobody_out(
    tmp_path: Path, collector: Any, request_of: Callable[..., bytes]
) -> None:
    spool = Spool(tmp_path)
    for name in ("a", "b", "c"):
        spool.write(request_of(name))
    collector.gate.clear()
    with _program(FLUSH, collector.url, tmp_path) as flushing:
        assert collector.arrived.wait(30), "the flush never reached the collector"
        os.kill(flushing.pid, signal.SIGKILL)
        flushing.communicate(timeout=30)
    collector.gate.set()
    result = flush(collector.url, tmp_path, deadline_s=5)
    assert (result.sent, result.left) == (3, 0)
    assert set(collector.taken) == {"a", "b", "c"}


WRITE_AND_FLUSH = """
import sys
from pathlib import Path
from floe_telemetry_otlp.spool import Spool, flush
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
url, folder, who = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
for number in range(20):
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(name=f"{who}-{number}")
    Spool(folder).write(request.SerializeToString())
    if number % 7 == 0:
        flush(url, folder)
"""


def test_several_processes_send_every_span_exactly_once(tmp_path: Path, collector: Any) -> None:
    writers = [_program(WRITE_AND_FLUSH, collector.url, tmp_path, who) for who in "abc"]
    for writer in writers:
        _, err = writer.communicate(timeout=60)
        assert writer.returncode == 0, err
    flush(collector.url, tmp_path)
    assert sorted(collector.taken) == sorted(f"{who}-{number}" for who in "abc" for number in range(20))


def _written(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path
