"""Places and secrets of a load."""

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.spec.secrets import SecretRef
from floe_ingestion_dlt.config import ObjectStore
from floe_ingestion_dlt.stores import Secrets, credentials, located


def test_every_form_of_a_secret_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a/b c+d")
    monkeypatch.setenv("DB", "postgresql://reader:p%40ss-word@db/shop")  # nosec B105 - planted
    monkeypatch.setenv("SHORT", "abc")
    secrets = Secrets()
    for name in ("TOKEN", "DB", "SHORT"):
        secrets.take(SecretRef(env=name))
    told = secrets.scrubbed("a/b c+d | a%2Fb%20c%2Bd | a%2Fb+c%2Bd | reader:p%40ss-word@db | p@ss-word | abc")
    assert told == "*** | *** | *** | reader:***@db | *** | abc"


def test_places(tmp_path: Path) -> None:
    assert located("s3://bucket/x", tmp_path) == "s3://bucket/x"
    assert located("in dir/x", tmp_path) == str(tmp_path / "in dir" / "x")
    assert located("/abs", tmp_path) == "/abs"


def test_a_bucket_has_credentials_and_a_folder_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "the-key")
    monkeypatch.setenv("SECRET", "the-secret")
    store = ObjectStore(endpoint="http://s:1", access_key=SecretRef(env="KEY"), secret_key=SecretRef(env="SECRET"))
    found = credentials(store, "s3://bucket", Secrets())
    options = found.to_s3fs_credentials()
    assert (options["key"], options["secret"], options["endpoint_url"]) == ("the-key", "the-secret", "http://s:1")
    assert credentials(store, "/folder", Secrets()) is None
