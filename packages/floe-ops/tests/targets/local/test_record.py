from __future__ import annotations

from pathlib import Path

import pytest
from floe_ops.services import services
from floe_ops.targets.local import credentials, record


def _record() -> record.Record:
    names = ["otel", "jaeger"]
    ports = {port: n for name in names for port, n in services()[name].ports.items()}
    return record.Record("polaris-url", names, ports, {"polaris": "http://p:1", "s3": "http://s:2"}, "abc")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    _record().save(tmp_path / "platform.json")
    assert record.load(tmp_path / "platform.json") == _record()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ports": {}}', '{"more": 1}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "platform.json"
    path.write_text(text, encoding="utf-8")
    assert record.load(path) is None
    assert record.load(tmp_path / "missing.json") is None


def test_the_platform_has_local_and_remote_urls_and_shows_no_secret() -> None:
    secrets = credentials.new()
    platform = _record().platform(secrets)
    assert platform.urls["s3"] == "http://s:2"
    assert platform.urls["jaeger-query"] == "http://127.0.0.1:16686"
    assert set(platform.secrets) == {"polaris-client-secret", "s3-access-key", "s3-secret-key"}
    assert secrets["s3-secret-key"] not in repr(platform)


def test_credentials_are_new_each_time_and_damaged_ones_count_as_none(tmp_path: Path) -> None:
    first = credentials.new()
    assert all(first[name] != value for name, value in credentials.new().items() if name != "polaris-client-id")
    path = tmp_path / "secrets.json"
    credentials.save(path, first)
    assert credentials.load(path) == first
    credentials.save(path, {name: value for name, value in first.items() if name != "s3-secret-key"})
    assert credentials.load(path) is None
