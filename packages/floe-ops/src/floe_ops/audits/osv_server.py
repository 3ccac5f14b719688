"""A small OSV service on loopback over snapshots, so that unchanged clients (pip-audit, `uv audit`) can ask it.

Speaks the part of OSV's API, version 1, that they use: `POST /v1/query`, `POST /v1/querybatch` and
`GET /v1/vulns/{id}` (https://google.github.io/osv.dev/api/).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from floe_ops.audits.ecosystems import PYPI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_ops.audits.osv_snapshot import Record, Snapshot

MAX_BODY = 8 * 1024 * 1024
VULNS = "/v1/vulns/"


@contextmanager
def serving(*snapshots: Snapshot) -> Iterator[str]:
    """Serve snapshots, one an ecosystem, on a free loopback port while the block runs; yields the URL, no slash."""
    served = {snapshot.ecosystem.name: snapshot for snapshot in snapshots}

    class Handler(_Handler):
        data = served

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="osv")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


class _RequestError(Exception):
    """A request that OSV would refuse with 400."""


class _Handler(BaseHTTPRequestHandler):
    data: Mapping[str, Snapshot]
    protocol_version = "HTTP/1.1"
    timeout = 30
    # One write an answer: headers and body in two packets cost 40 ms each by delayed acknowledgement.
    wbufsize = 64 * 1024

    def do_POST(self) -> None:
        """Answer a query or a batch of them."""
        try:
            body = self._body()
            if self.path == "/v1/query":
                self._answer({"vulns": vulns} if (vulns := _query(self.data, body)) else {})
            elif self.path == "/v1/querybatch":
                self._answer({"results": [_brief(self.data, query) for query in _list(body, "queries")]})
            else:
                self._answer({"code": 5, "message": "not found"}, HTTPStatus.NOT_FOUND)
        except _RequestError as error:
            self._answer({"code": 3, "message": str(error)}, HTTPStatus.BAD_REQUEST)

    def do_GET(self) -> None:
        """Answer one record by its id or by an alias of it."""
        wanted = unquote(self.path.removeprefix(VULNS)) if self.path.startswith(VULNS) else ""
        record = next((one.by_id[wanted] for one in self.data.values() if wanted in one.by_id), None)
        if record is None:
            self._answer({"code": 5, "message": "not found"}, HTTPStatus.NOT_FOUND)
        else:
            self._answer(presentable(record))

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            raise _RequestError(f"a body of at most {MAX_BODY} bytes with its length is needed")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise _RequestError(f"the body is not JSON: {error}") from error
        return _object(body)

    def _answer(self, body: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Stay silent: the audit prints what matters."""


def presentable(record: Record) -> Record:
    """The record as pip-audit can take it.

    It compares package names by spelling and parses every fixed version, so names are normalised here and fixes that
    PEP 440 does not know left out; the finding itself stays.
    """
    return {**record, "affected": [_presentable_entry(entry) for entry in record["affected"]]}


def _presentable_entry(entry: dict[str, Any]) -> dict[str, Any]:
    package = entry["package"]
    if package["ecosystem"] == PYPI.name:
        package = {**package, "name": canonicalize_name(package["name"])}
    ranges = [
        {**item, "events": [event for event in item["events"] if _orderable(event)]}
        if item["type"] == PYPI.ranges
        else item
        for item in entry.get("ranges") or []
    ]
    return {**entry, "package": package, "ranges": ranges}


def _orderable(event: dict[str, str]) -> bool:
    try:
        Version(event.get("fixed", "0"))
    except InvalidVersion:
        return False
    return True


def _query(data: Mapping[str, Snapshot], body: dict[str, Any]) -> list[Record]:
    package, version = _object(body.get("package")), body.get("version")
    name, ecosystem = package.get("name"), package.get("ecosystem")
    if not isinstance(name, str) or not isinstance(version, str) or not isinstance(ecosystem, str):
        raise _RequestError("a query needs package.name, package.ecosystem and version")
    if ecosystem not in data:
        raise _RequestError(f"this service knows {', '.join(data)} only")
    return [presentable(record) for record in data[ecosystem].matching(name, version)]


def _brief(data: Mapping[str, Snapshot], query: Any) -> dict[str, Any]:
    vulns = [{"id": record["id"], "modified": record["modified"]} for record in _query(data, _object(query))]
    return {"vulns": vulns} if vulns else {}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _RequestError("an object is needed")
    return value


def _list(body: dict[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    if not isinstance(value, list):
        raise _RequestError(f"a list `{key}` is needed")
    return value
