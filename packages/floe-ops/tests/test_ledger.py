from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from floe_ops import ledger, plan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CI", "FLOE_POLARIS_URL", "FLOE_POLARIS_HOME", "FLOE_ADVISORIES", "FLOE_TARGET"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".floe" / "run").mkdir(parents=True)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "model.sql").write_text("select 1")
    return tmp_path


def _pass(root: Path, name: str, **state: Any) -> None:
    """Let a session pass as the noxfile would."""
    run = root / ".floe" / "run" / "r"
    run.mkdir(exist_ok=True)
    (run / "decisions.json").write_text(json.dumps(ledger.decide(root, force=False, now=NOW)))
    (root / "demo" / "model.sql").write_text(state.pop("meanwhile", (root / "demo" / "model.sql").read_text()))
    kept = {"status": "passed", "started": 0, "ended": 2_000_000_000, **state}
    (run / f"{plan.slug(name)}.session.json").write_text(json.dumps(kept))
    ledger.close(root, run, name, now=NOW)


def _decision(root: Path, name: str, **options: Any) -> tuple[str, str]:
    entry = ledger.decide(root, **{"force": False, "now": NOW, **options})[name]
    return entry["state"], entry["reason"]


def test_what_passed_on_the_same_inputs_is_up_to_date_and_says_since_when(root: Path) -> None:
    assert _decision(root, "plugins") == ("run", "never passed here")
    _pass(root, "plugins")

    state, reason = _decision(root, "plugins")

    assert state == "up_to_date"
    assert NOW.astimezone().strftime("%Y-%m-%d %H:%M:%S") in reason
    assert ledger.read(root)["plugins"]["wall_s"] == 2.0


def test_a_changed_a_new_and_a_deleted_file_are_named(root: Path) -> None:
    _pass(root, "plugins")
    (root / "demo" / "model.sql").write_text("select 2")
    assert _decision(root, "plugins") == ("run", "changed: demo/model.sql")

    (root / "demo" / "model.sql").unlink()
    (root / "demo" / "new.sql").write_text("")
    assert _decision(root, "plugins") == ("run", "changed: demo/model.sql, demo/new.sql")


def test_a_file_that_is_no_input_changes_nothing(root: Path) -> None:
    _pass(root, "plugins")
    (root / "README.md").write_text("new words")

    assert _decision(root, "plugins")[0] == "up_to_date"


def test_what_changed_while_it_ran_is_not_proved(root: Path) -> None:
    _pass(root, "plugins", meanwhile="select 2")

    assert _decision(root, "plugins") == ("run", "never passed here")


def test_a_failure_takes_the_record_away(root: Path) -> None:
    _pass(root, "plugins")
    _pass(root, "plugins", status="failed")

    assert _decision(root, "plugins") == ("run", "never passed here")


def test_a_run_against_a_remote_polaris_is_neither_recorded_nor_skipped(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pass(root, "helm_bootstrap")
    monkeypatch.setenv("FLOE_POLARIS_URL", "http://127.0.0.1:8181")
    assert "FLOE_POLARIS_URL" in _decision(root, "helm_bootstrap")[1]

    _pass(root, "helm_bootstrap")
    monkeypatch.delenv("FLOE_POLARIS_URL")
    assert _decision(root, "helm_bootstrap") == ("run", "never passed here")


def test_in_a_cluster_everything_is_an_input_and_the_cluster_says_which_catalog_served(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOE_TARGET", "cluster")
    (root / ".floe" / "cluster").mkdir()
    (root / ".floe" / "cluster" / "record.json").write_text('{"catalog_kind": "polaris-image"}')
    _pass(root, "helm_bootstrap")
    assert ledger.read(root)["helm_bootstrap"]["catalog"] == "polaris-image"
    assert _decision(root, "helm_bootstrap")[0] == "up_to_date"
    (root / "charts").mkdir()
    (root / "charts" / "values.yaml").write_text("x: 1")
    assert _decision(root, "helm_bootstrap") == ("run", "changed: charts/values.yaml")
    monkeypatch.delenv("FLOE_TARGET")
    assert _decision(root, "helm_bootstrap")[0] == "run"  # it was proved on the other target


def test_a_run_in_a_cluster_of_somebody_elses_is_neither_recorded_nor_skipped(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOE_TARGET", "cluster")
    monkeypatch.setenv("FLOE_KUBE_CONTEXT", "theirs")
    _pass(root, "helm_bootstrap")
    assert "helm_bootstrap" not in ledger.read(root)
    assert _decision(root, "helm_bootstrap")[1].startswith("FLOE_KUBE_CONTEXT names a server")
    _pass(root, "plugins")  # needs no platform
    assert _decision(root, "plugins")[0] == "up_to_date"


def test_a_proof_expires_with_the_earliest_xfail_or_advisory(root: Path) -> None:
    expires = NOW + timedelta(days=1)
    (root / ".floe/run/advisories.json").write_text(json.dumps({"expires": expires.isoformat()}))
    (root / ".floe/run/xfails.json").write_text(json.dumps({"expires": "2027-01-01"}))
    _pass(root, "final")

    assert _decision(root, "final")[0] == "up_to_date"
    state, reason = _decision(root, "final", now=expires)
    assert state == "run"
    assert "expired" in reason
    assert "advisories" in reason


def test_an_incomplete_proof_is_only_probed_for_its_source(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = root / ".floe/run/r"
    run.mkdir()
    fact = {"criterion": "WU7-AC4", "status": "not_run", "evidence": "no source"}
    (run / "security.evidence.jsonl").write_text(json.dumps(fact) + "\n" + '{"cut sho')
    _pass(root, "security")
    monkeypatch.setattr(ledger, "ADVISORY_HOST", ("127.0.0.1", 1))
    assert _decision(root, "security")[0] == "up_to_date"

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(ledger, "ADVISORY_HOST", ("127.0.0.1", server.getsockname()[1]))
        assert _decision(root, "security") == ("run", "an advisory source is in reach now")


def test_another_snapshot_of_advisories_is_another_input(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = root / "all.zip"
    archive.write_bytes(b"1")
    monkeypatch.setenv("FLOE_ADVISORIES", str(archive))
    _pass(root, "plugins")
    _pass(root, "security")
    archive.touch()
    os.utime(archive, ns=(1, 1))

    assert _decision(root, "plugins")[0] == "up_to_date"
    assert _decision(root, "security") == ("run", "Python, target or advisory source is another one")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 99, "sessions": {}}', '{"schema": 1}'])
def test_a_damaged_ledger_proves_nothing_and_stops_nobody(root: Path, content: str) -> None:
    (root / ".floe/ledger.json").write_text(content)

    assert _decision(root, "plugins") == ("run", "never passed here")


def test_outside_of_a_run_it_says_how_to_call_it(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delenv("FLOE_RUN_DIR", raising=False)

    assert ledger.main(["decide"]) == 2
    assert "./noxw -s SESSION" in capsys.readouterr().err
