from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
import requests
from floe_core.errors import CredentialsRefusedError, WrongStateError
from floe_ops.clients.registry_auth import authorization, stored_credentials

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    return tmp_path


def store(folder: Path, **auths: str) -> None:
    entries = {host: {"auth": base64.b64encode(login.encode()).decode()} for host, login in auths.items()}
    (folder / "config.json").write_text(json.dumps({"auths": entries}), encoding="utf-8")


def test_what_docker_login_left_is_found_by_host(folder: Path) -> None:
    assert stored_credentials("ghcr.io") is None
    store(folder, **{"ghcr.io": "me:pa:ss", "https://index.docker.io/v1/": "hub:pw"})
    assert stored_credentials("ghcr.io") == ("me", "pa:ss")
    assert stored_credentials("registry-1.docker.io") == ("hub", "pw")
    assert stored_credentials("other.io") is None


@pytest.mark.parametrize("text", ["no json", "[]", '{"auths": {"ghcr.io": {"auth": "%%%"}}}'])
def test_a_broken_file_is_named_without_its_content(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(WrongStateError) as caught:
        stored_credentials("ghcr.io")
    assert caught.value.where == str(folder / "config.json")
    assert text not in str(caught.value)


def test_basic_is_answered_with_the_login() -> None:
    with requests.Session() as session:
        header = authorization(session, 'Basic realm="x"', ("me", "pw"), host="h", timeout=1)
    assert header == "Basic " + base64.b64encode(b"me:pw").decode()


@pytest.mark.parametrize("challenge", ["", 'Basic realm="x"', "Bearer service=x", 'Digest realm="x"'])
def test_a_challenge_that_cannot_be_answered_is_a_refusal(challenge: str) -> None:
    with requests.Session() as session, pytest.raises(CredentialsRefusedError, match="refused no user"):
        authorization(session, challenge, None, host="h", timeout=1)
