"""Whatever is left of a platform's notes: damaged ones count as none, and never end a command."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_ops.targets.cluster import forwards, record
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.providers.bare import BareProvider
from floe_ops.targets.cluster.providers.context import ContextProvider
from floe_ops.targets.local import credentials
from floe_ops.targets.local import record as local_record
from hypothesis import given

KUBECONFIG = {"kind": "Config", "current-context": "floe", "contexts": [{"name": "floe"}]}
STATUS = {"state": "running", "ready": True, "owners": ["desk"], "daemons": []}
FORWARDS = {"pid": 1, "started": 1.0, "urls": {"dagster": "http://127.0.0.1:1"}}


@BOUNDED
@given(inputs(KUBECONFIG, STATUS, FORWARDS, dict.fromkeys(credentials.NAMES, "x")))
def test_any_note_is_read_or_counts_as_none(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        layout, note = Layout(Path(folder)), Path(folder, "note")
        layout.folder.mkdir()
        for path in (note, layout.record, layout.forwards):
            path.write_bytes(raw)
        patch.setenv("KUBECONFIG", str(note))
        patch.delenv("FLOE_KUBE_CONTEXT", raising=False)
        lives_through(lambda: credentials.load(note))
        lives_through(lambda: local_record.load(note))
        lives_through(lambda: record.load(layout))
        lives_through(lambda: forwards.find(layout))
        lives_through(ContextProvider(layout, print).why_not)


@pytest.mark.parametrize("said", ["", "null", "[]", '"x"', "[" * 20_000, json.dumps({"ready": 1, "owners": None})])
def test_a_bare_cluster_that_tells_nonsense_does_not_run(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "bare-cluster"
    program.parent.mkdir()
    (tmp_path / "said").write_text(said, encoding="utf-8")
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/said\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    provider = BareProvider(Layout(tmp_path), print)
    lives_through(provider.runs)
    lives_through(lambda: provider.let_go(set()))
