from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from floe_ops.audits import osv_server, osv_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JINJA = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.10"}


@pytest.fixture
def server(export: Callable[..., Path], record: Callable[..., dict[str, Any]]) -> Iterator[str]:
    broken_fix = record("Jinja2", id="A-2", fixed="unknown")
    folder = export(record("Jinja2", id="A-1", fixed="2.10.1", aliases=["CVE-2019-1"]), broken_fix)
    with osv_server.serving(osv_snapshot.load(folder, now=datetime(2026, 6, 16, tzinfo=UTC))) as url:
        yield url


def test_a_query_gives_whole_records_with_normal_names_and_usable_fixes(server: str) -> None:
    vulns = requests.post(f"{server}/v1/query", json=JINJA, timeout=5).json()["vulns"]
    assert [vuln["id"] for vuln in vulns] == ["A-1", "A-2"]
    assert vulns[0]["affected"][0]["package"]["name"] == "jinja2"
    assert vulns[0]["affected"][0]["ranges"][0]["events"] == [{"introduced": "0"}, {"fixed": "2.10.1"}]
    assert vulns[1]["affected"][0]["ranges"][0]["events"] == [{"introduced": "0"}]


def test_a_query_without_findings_is_an_empty_object(server: str) -> None:
    nothing = {"package": {"name": "attrs", "ecosystem": "PyPI"}, "version": "1"}
    assert requests.post(f"{server}/v1/query", json=nothing, timeout=5).json() == {}


def test_a_batch_gives_ids_in_the_order_of_its_queries(server: str) -> None:
    fixed = {**JINJA, "version": "2.10.1"}
    answer = requests.post(f"{server}/v1/querybatch", json={"queries": [JINJA, fixed]}, timeout=5).json()
    assert [[vuln["id"] for vuln in entry.get("vulns", [])] for entry in answer["results"]] == [["A-1", "A-2"], ["A-2"]]


def test_a_record_by_its_id_and_by_its_alias(server: str) -> None:
    for name in ("A-1", "CVE-2019-1"):
        assert requests.get(f"{server}/v1/vulns/{name}", timeout=5).json()["id"] == "A-1"
    assert requests.get(f"{server}/v1/vulns/A-9", timeout=5).status_code == 404
    assert requests.get(f"{server}/", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"package": "jinja2"}',
        b'{"package": {"name": "jinja2", "ecosystem": "npm"}, "version": "1"}',
        b'{"package": {"name": "jinja2", "ecosystem": "PyPI"}}',
    ],
)
def test_a_malformed_query_is_refused_and_the_server_lives_on(server: str, body: bytes) -> None:
    with requests.Session() as session:
        assert session.post(f"{server}/v1/query", data=body, timeout=5).status_code == 400
        assert session.post(f"{server}/v1/querybatch", data=body, timeout=5).status_code == 400
        assert session.post(f"{server}/v1/query", json=JINJA, timeout=5).ok


def test_it_ends_with_its_block(export: Callable[..., Path], record: Callable[..., dict[str, Any]]) -> None:
    snapshot = osv_snapshot.load(export(record("x")), now=datetime(2026, 6, 16, tzinfo=UTC))
    with osv_server.serving(snapshot) as url:
        assert requests.get(f"{url}/v1/vulns/TEST-1", timeout=5).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/v1/vulns/TEST-1", timeout=1)
