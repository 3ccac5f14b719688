"""What `bare-cluster` says and how it ends, by a program in its place."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import (
    CredentialsRefusedError,
    FloeError,
    MissingToolError,
    NotReadyError,
    UsageError,
    WrongStateError,
)
from floe_ops.targets.cluster.doctor import examine
from floe_ops.targets.cluster.providers.bare import BareProvider
from floe_ops.targets.cluster.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.cluster.layout import Layout


@pytest.fixture
def plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the program say something on standard output and standard error, and end with a code."""
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program = tmp_path / "bin" / "bare-cluster"
    program.parent.mkdir()

    def play(out: str, code: int, err: str = "") -> None:
        (tmp_path / "out").write_text(out, encoding="utf-8")
        (tmp_path / "err").write_text(err, encoding="utf-8")
        lines = f"echo $* >> {tmp_path}/calls; cat {tmp_path}/out; cat {tmp_path}/err >&2; exit {code}"
        program.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        program.chmod(0o700)

    return play


@pytest.fixture
def provider(layout: Layout) -> BareProvider:
    return BareProvider(layout, lambda _line: None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, FloeError),
        (2, UsageError),
        (3, CredentialsRefusedError),
        (4, WrongStateError),
        (5, MissingToolError),
        (6, NotReadyError),
        (130, FloeError),
    ],
)
def test_its_failures_are_our_own_with_its_words(
    code: int, kind: type[FloeError], plays: Callable[..., None], provider: BareProvider
) -> None:
    said = {"what": "this machine cannot run a cluster yet", "where": "nft", "why": "1 is missing", "remedy": "get it"}
    plays(json.dumps(said), code)
    with pytest.raises(FloeError) as failed:
        provider.up("desk")
    assert type(failed.value) is kind
    assert failed.value.what == "the bare cluster does not come up"
    assert (failed.value.where, failed.value.remedy) == ("nft", "get it")
    assert failed.value.why == "this machine cannot run a cluster yet: 1 is missing"


def test_what_it_says_on_standard_error_alone_is_repeated(plays: Callable[..., None], provider: BareProvider) -> None:
    plays("", 2, "Error: no such option: --odd")
    with pytest.raises(UsageError, match="does not end") as failed:
        provider.stop()
    assert failed.value.why == "it ended with 2: Error: no such option: --odd"


def test_what_the_machine_lacks_is_quoted_and_seen_by_the_doctor(
    plays: Callable[..., None], provider: BareProvider, layout: Layout
) -> None:
    lacks = [{"what": "nft", "remedy": "apt-get install nftables"}, {"what": "CAP_SYS_ADMIN", "remedy": "elsewhere"}]
    plays(json.dumps({"lacks": lacks}), 5)
    quoted = "it lacks nft (apt-get install nftables); it lacks CAP_SYS_ADMIN (elsewhere)"
    assert provider.why_not() == quoted
    assert [finding.seen for finding in examine(layout, settings()) if finding.what == "bare"] == [quoted]
    plays(json.dumps({"lacks": []}), 0)
    assert provider.why_not() == ""


@pytest.mark.parametrize("said", ["", "null", '{"lacks": null}', '{"lacks": [1]}', '{"lacks": [{}]}'])
def test_a_program_that_does_not_say_what_is_missing_is_not_taken(
    said: str, plays: Callable[..., None], provider: BareProvider
) -> None:
    plays(said, 1, "boom")
    assert provider.why_not() == "`bare-cluster prepare` does not say what this machine lacks: it ended with 1: boom"


def test_where_it_runs_the_machine_is_not_asked_again(
    plays: Callable[..., None], provider: BareProvider, layout: Layout, tmp_path: Path
) -> None:
    plays("", 1)
    layout.bare.mkdir()
    provider.access.kubeconfig.touch()
    assert provider.why_not() == ""
    assert not (tmp_path / "calls").exists()
