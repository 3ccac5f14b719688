from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import LineageError
from floe_lineage_openlineage.files import FileDelivery
from floe_lineage_openlineage.plugin import FileTransport
from floe_lineage_openlineage.schema import check
from hypothesis import given
from hypothesis import strategies as st

EVENT = {"eventTime": "2026-11-23T14:00:00+00:00", "eventType": "START"}
# Appends lines of about 200 kB until it is ended, or as many as it was told to, and says so after each.
WRITER = """
import itertools, json, sys
from pathlib import Path
from floe_lineage_openlineage.files import FileDelivery
from floe_lineage_openlineage.plugin import FileTransport
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
delivery = FileDelivery(FileTransport(path=path, lock_timeout_s=60))
for number in itertools.islice(itertools.count(), count or None):
    delivery.deliver({}, json.dumps({"writer": name, "number": number, "filler": name * 200_000}))
    print(number, flush=True)
"""


def lines(path: Path, **config: Any) -> FileDelivery:
    return FileDelivery(FileTransport(path=path, **config))


def files(path: Path) -> FileDelivery:
    return FileDelivery(FileTransport(path=path, layout="files"))


@pytest.fixture
def writer(tmp_path: Path) -> Any:
    running: list[subprocess.Popen[str]] = []

    def start(name: str, count: int = 0) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", WRITER, str(tmp_path / "events.jsonl"), name, str(count)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def test_lines_are_appended_in_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "events.jsonl"
    lines(path).deliver(EVENT, '{"n":1}')
    lines(path).deliver(EVENT, '{"n":2}')
    assert path.read_text() == '{"n":1}\n{"n":2}\n'


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (b'{"n":0}\n{"n":', b'{"n":0}\n'),
        (b'{"torn', b""),
        (b"\n", b"\n"),
        (b'{"n":0}\n' + b"x" * 200_000, b'{"n":0}\n'),
        (b"x" * 200_000, b""),
    ],
)
def test_what_a_killed_writer_began_is_cut_off(tmp_path: Path, before: bytes, kept: bytes) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(before)
    lines(path).deliver(EVENT, '{"n":1}')
    assert path.read_bytes() == kept + b'{"n":1}\n'


@given(st.binary(max_size=300))
def test_after_any_content_the_new_line_stands_alone(before: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        path.write_bytes(before)
        lines(path).deliver(EVENT, '{"n":1}')
        kept = before[: before.rfind(b"\n") + 1]
        assert path.read_bytes() == kept + b'{"n":1}\n'


def test_two_writers_do_not_mix(tmp_path: Path, writer: Callable[..., subprocess.Popen[str]]) -> None:
    for process in [writer("a", 20), writer("b", 20)]:
        assert process.wait(60) == 0
    found = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    for name in "ab":
        assert [one["number"] for one in found if one["writer"] == name] == list(range(20))


def test_kill_9_leaves_whole_lines(tmp_path: Path, writer: Callable[..., subprocess.Popen[str]]) -> None:
    path = tmp_path / "events.jsonl"
    for turn in range(2):
        processes = [writer("a"), writer("b")]
        for process in processes:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(3 + turn)]
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        ended = path.read_bytes()
        for line in ended[: ended.rfind(b"\n")].split(b"\n"):
            assert len(json.loads(line)["filler"]) == 200_000
        lines(path).deliver(EVENT, json.dumps({"writer": "after", "number": turn, "filler": "c" * 200_000}))
        assert [json.loads(line) for line in path.read_text().splitlines()][-1]["number"] == turn


def test_a_write_that_fails_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    lines(path).deliver(EVENT, '{"n":1}')
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) < 8:
            raise OSError(28, "No space left on device")
        return real(descriptor, content[:4])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LineageError, match="No space left"):
        lines(path).deliver(EVENT, '{"n":2}')
    assert path.read_text() == '{"n":1}\n'


def test_a_lock_that_stays_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LineageError, match="held the file") as caught:
            lines(path, lock_timeout_s=0.2).deliver(EVENT, "{}")
    assert caught.value.exit_code is ExitCode.TIMEOUT
    assert path.read_bytes() == b""


def test_a_file_an_event(tmp_path: Path, event: dict[str, Any]) -> None:
    delivery = files(tmp_path / "events")
    text = check(event)
    delivery.deliver(event, text)
    delivery.deliver(event, text)
    other = {**event, "eventType": "FAIL"}
    delivery.deliver(other, check(other))
    found = sorted((tmp_path / "events").iterdir())
    assert [json.loads(one.read_text())["eventType"] for one in found] == ["COMPLETE", "FAIL"]


def test_a_file_that_cannot_be_renamed_leaves_nothing(
    tmp_path: Path, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(LineageError, match="Input/output error"):
        files(tmp_path).deliver(event, check(event))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layout", ["lines", "files"])
def test_a_folder_that_is_a_file_is_told(tmp_path: Path, layout: str) -> None:
    (tmp_path / "taken").write_text("")
    delivery = FileDelivery(FileTransport.model_validate({"path": tmp_path / "taken" / "x", "layout": layout}))
    with pytest.raises(LineageError) as caught:
        delivery.deliver(EVENT, "{}")
    assert str(tmp_path) in caught.value.where
    with pytest.raises(LineageError):
        delivery.probe(1)


def test_a_probe_leaves_nothing(tmp_path: Path) -> None:
    assert str(tmp_path) in lines(tmp_path / "events.jsonl").probe(1)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(LineageError):
        lines(tmp_path / "events.jsonl").probe(1)
