from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import SecretRefusedError, SecretsError
from floe_secrets_env.files import Files, Rules
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir(mode=0o755)
    return made


def put(path: Path, value: bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value)
    path.chmod(mode)
    return path


def files(folder: Path, **rules: Any) -> Files:
    return Files(str(folder), Rules(**{"max_bytes": 1024, "allow_world_readable": False, **rules}))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"v", "v"),
        (b"v\n", "v"),
        (b"v\r\n", "v"),
        (b"v\n\n", "v\n"),
        (b"v\r", "v\r"),
        (b" v ", " v "),
        (b"a\nb\n", "a\nb"),
        ("h\u00e4\u2603".encode(), "h\u00e4\u2603"),
    ],
)
def test_one_line_break_at_the_end_is_no_part_of_the_value(folder: Path, written: bytes, read: str) -> None:
    put(folder / "k", written)
    assert files(folder).value("k") == read


def test_a_value_is_read_anew_each_time(folder: Path) -> None:
    source = files(folder)
    assert source.value("k") is None
    put(folder / "k", b"old")
    assert source.value("k") == "old"
    put(folder / "k", b"new")
    assert source.value("k") == "new"
    (folder / "k").unlink()
    assert source.value("k") is None


@pytest.mark.parametrize(
    ("value", "why"),
    [(b"", "empty"), (b"\n", "empty"), (b"x" * 1025, "larger than 1024 bytes"), (b"secret\xff", "no UTF-8 text")],
)
def test_what_is_no_secret_is_refused_and_not_shown(folder: Path, value: bytes, why: str) -> None:
    put(folder / "k", value)
    with pytest.raises(SecretRefusedError, match=why) as caught:
        files(folder).value("k")
    assert caught.value.where == str(folder / "k")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "secret\\xff" not in str(caught.value)


def test_the_largest_value_is_taken(folder: Path) -> None:
    put(folder / "k", b"x" * 1024)
    assert files(folder).value("k") == "x" * 1024


@pytest.mark.parametrize(
    ("mode", "folder_mode", "allowed", "why"),
    [
        (0o600, 0o755, False, ""),
        (0o640, 0o755, False, ""),
        (0o644, 0o755, False, "can read it"),
        (0o604, 0o711, False, "can read it"),
        (0o644, 0o750, False, ""),
        (0o644, 0o755, True, ""),
        (0o602, 0o700, True, "can write it"),
        (0o666, 0o755, True, "can write it"),
    ],
)
def test_a_file_that_is_open_to_others_is_refused(
    folder: Path, mode: int, folder_mode: int, allowed: bool, why: str
) -> None:
    put(folder / "k", b"v", mode)
    folder.chmod(folder_mode)
    source = files(folder, allow_world_readable=allowed)
    if not why:
        assert source.value("k") == "v"
        return
    with pytest.raises(SecretRefusedError, match=f"every user of this machine {why}") as caught:
        source.value("k")
    assert "chmod" in caught.value.remedy


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(folder: Path, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", b"v")
    (folder / "out").symlink_to(outside)
    (folder / "above").symlink_to("../outside")
    (folder / "in").symlink_to(put(folder / "real", b"v"))
    source = files(folder)
    for name in ("out", "above"):
        with pytest.raises(SecretRefusedError, match="leads out of the folder"):
            source.value(name)
    assert source.value("in") == "v"
    assert source.names() == {"in", "real"}


def test_what_is_no_file_is_no_secret(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    (folder / "gone").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    source = files(folder)
    with pytest.raises(SecretRefusedError, match="no regular file"):
        source.value("pipe")
    with pytest.raises(SecretsError, match="cannot be read"):
        source.value("loop")
    assert source.value("sub") is source.value("gone") is source.value("k/below") is None
    assert source.names() == set()


def test_folders_below_are_parts_of_the_name(folder: Path) -> None:
    put(folder / "db" / "password", b"v")
    put(folder / ".hidden", b"v")
    (folder / "again").symlink_to(folder)
    source = files(folder)
    assert source.value("db/password") == "v"
    assert source.names() == {"db/password"}


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    source = files(tmp_path / "gone")
    assert (source.value("k"), source.names(), source.is_there()) == (None, set(), False)
    assert "not there" in source.missing("k")


def test_a_mount_is_read_through_its_generation(mount: Any) -> None:
    source = files(mount.path)
    mount.publish({"k": b"one\n", "db/password": b"two"})
    assert (source.value("k"), source.value("db/password")) == ("one", "two")
    assert source.names() == {"k", "db/password"}
    mount.publish({"k": b"three"})
    assert (source.value("k"), source.value("db/password")) == ("three", None)
    assert source.names() == {"k"}


def test_files_that_everybody_may_write_are_refused_in_a_mount_too(mount: Any) -> None:
    mount.publish({"k": b"v"}, mode=0o666)
    with pytest.raises(SecretRefusedError, match="can write it"):
        files(mount.path).value("k")


def test_a_mount_that_is_not_whole_is_told(mount: Any) -> None:
    (mount.path / "..data").symlink_to("..gone")
    for ask in (lambda: files(mount.path).value("k"), files(mount.path).names):
        with pytest.raises(SecretsError, match="leads nowhere"):
            ask()


def test_readers_see_the_old_or_the_new_and_nothing_between(mount: Any) -> None:
    """The generation is replaced, and the old one removed, as fast as it goes while two threads read."""

    def generation(number: int) -> Mapping[str, bytes]:
        return {"k": f"{number}-".encode() * 50, "l": b"same"}

    mount.publish(generation(0))
    over, seen, wrong = threading.Event(), set[str](), list[str]()

    def read() -> None:
        source = files(mount.path)
        while not over.is_set():
            for name in ("k", "l"):
                value = source.value(name)
                if value is None or (name == "l" and value != "same") or (name == "k" and value.count("-") != 50):
                    wrong.append(f"{name}: {value}")
            seen.add(str(value if name == "k" else source.value("k")).partition("-")[0])

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, 300):
            mount.publish(generation(number))
    finally:
        over.set()
        for reader in readers:
            reader.join(30)
    assert not wrong, wrong[:3]
    assert len(seen) > 1


@given(st.binary(max_size=64) | st.sampled_from([b"\r", b"v\r", b"v\n\r\n", b"\r\n"]))
def test_any_bytes_give_the_text_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, value: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    put(folder / "k", value)
    try:
        read = files(folder).value("k")
    except SecretRefusedError:
        assert value in {b"", b"\n", b"\r\n"} or "\ufffd" in value.decode("utf-8", "replace")
        return
    assert read
    assert value in {read.encode(), f"{read}\n".encode(), f"{read}\r\n".encode()}
