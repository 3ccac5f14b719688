"""The keeper as a process: who it connects to whom, and that it ends."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
import requests
from floe_core.errors import NotReadyError
from floe_ops.targets import lease
from floe_ops.targets.cluster import endpoints, forwards, record
from floe_ops.targets.cluster.settings import settings
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster.layout import Layout
    from tests.targets.cluster.conftest import Api

NAMES = ["polaris"]
BIG = os.urandom(3_000_000)
pytestmark = pytest.mark.requirement("WU8-BC1")


class _Echo(http.server.BaseHTTPRequestHandler):
    """Says its own name to GET, and gives back what it was POSTed."""

    def do_GET(self) -> None:
        self._answer(self.server.name.encode())  # type: ignore[attr-defined] # set below

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Quiet."""


@contextmanager
def pod(name: str) -> Iterator[int]:
    """A server in the place of a pod's; yields its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.name = name  # type: ignore[attr-defined] # read above
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def kept(api: Api, layout: Layout, kubeconfig: Callable[[str], Path]) -> Iterator[forwards.Forwards]:
    path = kubeconfig(api.url)
    record.Record("context", str(path), "floe", "floe-test", "floe", made_cluster=False).save(layout)
    lease.add(layout.owners, lease.DESK)
    yield forwards.ensure(layout, NAMES)
    forwards.end(layout)


def until(look: Callable[[], bool], deadline: float = 5.0) -> bool:
    looking = Retrying(
        stop=stop_after_delay(deadline),
        wait=wait_fixed(0.05),
        retry=retry_if_result(lambda seen: not seen),
        retry_error_callback=lambda _state: False,
    )
    return bool(looking(look))


def test_endpoints_are_found_by_the_names_of_service_ports(cluster: Kubernetes) -> None:
    found = endpoints.find(cluster, settings())
    assert set(found) == {"polaris"}  # the other port's name is no endpoint's
    assert (found["polaris"].service, found["polaris"].port) == ("floe-polaris", 8181)
    assert found["polaris"].selector == "app.kubernetes.io/component=polaris"
    assert found["polaris"].url == "http://floe-polaris:8181"


def test_bytes_come_through_whole_both_ways_and_side_by_side(api: Api, kept: forwards.Forwards) -> None:
    with pod("one") as port:
        api.pods, api.ready = {"one": port}, {"one"}
        bodies: list[bytes] = []

        def call() -> None:
            bodies.append(requests.post(kept.urls["polaris"], data=BIG, timeout=20).content)

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert bodies == [BIG] * 4


def test_a_replaced_pod_is_followed_within_a_second(api: Api, kept: forwards.Forwards) -> None:
    with pod("one") as first, pod("two") as second:
        api.pods, api.ready = {"one": first}, {"one"}
        assert requests.get(kept.urls["polaris"], timeout=5).text == "one"
        api.pods = {"one": 0, "two": second}  # nobody listens in the first any more
        api.ready = {"two"}
        answer = requests.get(kept.urls["polaris"], timeout=5)
        assert answer.text == "two"
        assert answer.elapsed.total_seconds() < 1


def test_a_pod_that_is_ready_comes_before_one_that_only_runs(api: Api, kept: forwards.Forwards) -> None:
    with pod("starting") as first, pod("serving") as second:
        api.pods, api.ready = {"starting": first, "serving": second}, {"serving"}
        assert requests.get(kept.urls["polaris"], timeout=5).text == "serving"


def test_a_caller_is_let_go_when_nobody_serves_and_the_log_says_why(
    api: Api, kept: forwards.Forwards, layout: Layout
) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(kept.urls["polaris"], timeout=10)
    assert "polaris: no pod of floe-polaris runs" in layout.keeper_log.read_text(encoding="utf-8")
    api.pods = {"gone": 0}
    with pytest.raises(requests.ConnectionError):
        requests.get(kept.urls["polaris"], timeout=10)
    assert "connection refused" in layout.keeper_log.read_text(encoding="utf-8")


def test_one_keeper_serves_all_who_ask_and_ends_cleanly(kept: forwards.Forwards, layout: Layout) -> None:
    assert forwards.ensure(layout, NAMES) == kept
    assert psutil.Process(kept.pid).children() == []
    forwards.end(layout)
    assert not psutil.pid_exists(kept.pid)
    assert forwards.find(layout) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", kept.ports["polaris"]), timeout=1)
    again = forwards.ensure(layout, NAMES)
    assert again.ports == kept.ports  # the port of the last time, which was free
    assert again.pid != kept.pid


@pytest.mark.parametrize("change", ["release", "namespace", "server"])
def test_the_forwards_of_another_release_or_cluster_are_not_handed_out(
    kept: forwards.Forwards, layout: Layout, kubeconfig: Callable[[str], Path], api: Api, change: str
) -> None:
    found = record.load(layout)
    assert found is not None
    assert forwards.find(layout) == kept
    if change == "release":
        replace(found, release="other").save(layout)
    elif change == "namespace":
        replace(found, namespace="other").save(layout)
    else:
        kubeconfig(api.url.replace("127.0.0.1", "localhost"))
    assert forwards.find(layout) is None
    if change == "namespace":  # one is enough to see that it is replaced: each start takes seconds
        again = forwards.ensure(layout, NAMES)
        assert not kept.lives
        assert again.pid != kept.pid
        assert again.leads_to["namespace"] == "other"
        assert forwards.find(layout) == again


def test_a_taken_port_is_another_one_the_next_time(kept: forwards.Forwards, layout: Layout) -> None:
    forwards.end(layout)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", kept.ports["polaris"]))
        taken.listen(1)
        assert forwards.ensure(layout, NAMES).ports != kept.ports


def test_it_ends_on_sigterm_and_after_a_kill_a_new_one_takes_over(kept: forwards.Forwards, layout: Layout) -> None:
    os.kill(kept.pid, signal.SIGTERM)
    assert until(lambda: not kept.lives)
    second = forwards.ensure(layout, NAMES)
    os.kill(second.pid, signal.SIGKILL)
    assert until(lambda: not second.lives)
    assert forwards.ensure(layout, NAMES).pid not in {kept.pid, second.pid}


def test_it_ends_with_its_last_owner(
    kept: forwards.Forwards, layout: Layout, owner: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run = owner()
    lease.add(layout.owners, str(run.pid))
    lease.remove(layout.owners, lease.DESK)
    assert not until(lambda: not kept.lives, 1.2)
    run.kill()
    run.wait()
    assert until(lambda: not kept.lives)


def test_a_keeper_that_cannot_start_says_why(api: Api, layout: Layout, kubeconfig: Callable[[str], Path]) -> None:
    record.Record("context", str(kubeconfig(api.url)), "nowhere", "floe-test", "floe", made_cluster=False).save(layout)
    lease.add(layout.owners, lease.DESK)
    with pytest.raises(NotReadyError, match="did not come up") as failed:
        forwards.ensure(layout, NAMES)
    assert "kubeconfig cannot be used" in failed.value.why
