"""The acceptance suite's ground: the running platform, its release in a cluster, and one trace for the whole session.

Every test is a span below the span of the session, which continues the trace of `TRACEPARENT` when a run
gives one; what a test compiles, builds or commits in this process hangs below the test's span. Endpoints
come from the target, never from a port number.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from floe_core.errors import FloeError
from floe_core.telemetry import span
from floe_ops import readiness, targets, tracing, warehouse
from floe_ops.services import CLUSTER
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from floe_ops.clients.dagster import Dagster
    from floe_ops.clients.helm import Helm
    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.clients.kubernetes_objects import Document, Pod
    from floe_ops.targets import Platform, Target
    from floe_ops.targets.cluster import ClusterTarget
    from floe_ops.targets.cluster.settings import Settings

Seen = TypeVar("Seen")

GATE_S, GATE_STREAK = 30.0, 3
EXEC_S, LOADED_S = 20.0, 90.0
NEEDS_PLATFORM = ("platform", "catalog")
SESSION: pytest.StashKey[ExitStack] = pytest.StashKey()


@pytest.fixture(scope="session")
def target() -> Target:
    """Where the platform runs: `FLOE_TARGET`, else the local machine."""
    return targets.current()


@pytest.fixture(scope="session")
def release_health(target: Target, request: pytest.FixtureRequest) -> None:
    """The release of the cluster target, healed where it was stuck; looked at once, before the first test (T6).

    One that cannot be healed ends the session: every test would fail for that one reason.
    """
    if target.name != CLUSTER:
        return
    from floe_ops.targets.cluster import ClusterTarget, health

    assert isinstance(target, ClusterTarget)
    terminal: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    try:
        health.ensure(target.layout, terminal.write_line)
    except FloeError as error:
        pytest.exit(f"the release's health before the first test: {error}", returncode=1)


@pytest.fixture(scope="session")
def platform(target: Target, release_health: None) -> Platform:
    """The running platform, behind the gate: three good answers of the catalog in a row, once a session.

    None running, or one that is not ready in time, is a failure with its remedy, never a skip.
    """
    found = target.find()
    if found is None:
        pytest.fail(f"no platform is running on the target {target.name!r}\n  next:  invoke platform.up", pytrace=False)
    try:
        readiness.wait(lambda: warehouse.find(target.find), readiness.Terms(GATE_S, GATE_STREAK))
    except FloeError as error:
        pytest.fail(f"the gate before the first test: {error}", pytrace=False)
    return found


@pytest.fixture(scope="session")
def endpoints(platform: Platform) -> dict[str, str]:
    """URL by endpoint name, as `services.toml` names them."""
    return platform.urls


@dataclass(frozen=True)
class Installed:
    """A release in a cluster, for tests that look below its endpoints, or change it.

    Attributes:
        cluster: Where it is.
        helm: For its namespace.
        settings: Which release it is.
    """

    cluster: Kubernetes
    helm: Helm
    settings: Settings

    @property
    def namespace(self) -> str:
        """Where it is."""
        return self.settings.namespace

    def pods(self, component: str = "") -> list[Pod]:
        """Its pods, but for those that have ended or are ending."""
        selector = self.settings.selector + (f",app.kubernetes.io/component={component}" if component else "")
        found = self.cluster.pods(self.namespace, selector)
        return [pod for pod in found if not pod.ending and pod.phase not in {"Succeeded", "Failed"}]

    def uids(self) -> dict[str, str]:
        """The uid of each pod by its component: another uid is another pod."""
        return {pod.component: str(pod.document["metadata"]["uid"]) for pod in self.pods()}

    def until(self, look: Callable[[], Seen], what: str, deadline_s: float, lacks: Callable[[], object] = str) -> Seen:
        """Look until there is something to see, and return it; a failure says what was waited for and what was seen."""
        waiting = Retrying(
            retry=retry_if_result(lambda seen: not seen),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            stop=stop_after_delay(deadline_s),
            retry_error_callback=lambda _state: None,
        )
        seen = waiting(look)
        if not seen:
            pytest.fail(f"not within {deadline_s:g} s: {what}; seen at the end: {lacks()}", pytrace=False)
        return seen

    def missing(self) -> list[str]:
        """What it lacks to be rolled out and running, one sentence a workload or container; empty when it is whole."""
        from floe_ops.targets.cluster import progress

        looping = [
            f"{pod.name}: {container.name} is in {container.reason}"
            for pod in self.pods()
            for container in pod.containers
            if "BackOff" in container.reason
        ]
        return progress.missing(self.cluster, self.settings) + looping

    def until_whole(self, deadline_s: float = 90.0) -> None:
        """Wait until every workload is rolled out and no container loops."""
        self.until(lambda: not self.missing(), "every workload rolled out, none looping", deadline_s, self.missing)

    def scale(self, plural: str, component: str, replicas: int) -> None:
        """Ask for so many pods of a component; `plural` is `deployments` or `statefulsets`."""
        from floe_ops.clients.kubernetes import MERGE

        path = f"/apis/apps/v1/namespaces/{self.namespace}/{plural}/{self.settings.release}-{component}"
        self.cluster.request("PATCH", path, {"spec": {"replicas": replicas}}, kind=MERGE)

    def delete(self, path: str) -> None:
        """Delete an object with what belongs to it, if it is there; `path` is its group, its plural and its name."""
        from floe_ops.clients.kubernetes import ObjectNotFoundError

        group, _, rest = path.partition("/")
        root = "/api/v1" if group == "core" else f"/apis/{group}/v1"
        try:
            self.cluster.request("DELETE", f"{root}/namespaces/{self.namespace}/{rest}?propagationPolicy=Background")
        except ObjectNotFoundError:
            return

    def run_in(self, component: str, *words: str) -> str:
        """What a program prints that is run in the component's pod; its errors too."""
        from kubernetes.client import CoreV1Api
        from kubernetes.stream import stream

        (pod,) = self.pods(component)
        socket = stream(
            CoreV1Api(self.cluster.api).connect_get_namespaced_pod_exec,
            pod.name,
            self.namespace,
            command=list(words),
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _request_timeout=EXEC_S,
            _preload_content=False,
        )
        try:
            socket.run_forever(timeout=EXEC_S)
            return str(socket.read_all())
        finally:
            socket.sock.shutdown()  # its close() leaves a connection open that the server has ended

    def sql(self, database: str, statement: str) -> str:
        """What PostgreSQL answers, a row a line."""
        words = ("psql", "-XAtq", "-h", "/var/run/postgresql", "-U", "postgres", "-d", database, "-c", statement)
        return self.run_in("postgresql", *words).strip()

    def rendered(self, template: str, **values: Any) -> Document:
        """The one object of a template of the chart, as this release has it; `values` are put over the release's."""
        import yaml
        from floe_ops.clients.helm import Values

        given = Values(inline=self.helm.values(self.settings.release) | values)
        text = self.helm.template(self.settings.release, self.settings.chart, given, only=[f"templates/{template}"])
        return dict(yaml.safe_load(text))


@pytest.fixture(scope="session")
def installed(target: Target, platform: Platform) -> Installed:
    """The platform's release on the cluster target."""
    from floe_ops.clients import helm
    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster import ClusterTarget, record
    from floe_ops.targets.cluster.settings import settings

    assert isinstance(target, ClusterTarget)
    found, chosen = record.load(target.layout), settings()
    assert found is not None
    place = helm.Place(chosen.namespace, found.access.kubeconfig, found.access.context)
    return Installed(Kubernetes(found.access), helm.choose(place), chosen)


@pytest.fixture
def another(
    target: Target, installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], ClusterTarget]]:
    """A function that gives the target of another release in the same cluster, with files and forwards of its own."""
    from floe_ops.targets.cluster import ClusterTarget, forwards, record
    from floe_ops.targets.cluster.layout import Layout

    assert isinstance(target, ClusterTarget)
    found = record.load(target.layout)
    assert found is not None
    place = Layout(tmp_path / ".floe")

    class Another(ClusterTarget):
        @property
        def layout(self) -> Layout:
            return place

    def give(release: str, namespace: str) -> ClusterTarget:
        monkeypatch.setenv("FLOE_RELEASE", release)
        monkeypatch.setenv("FLOE_NAMESPACE", namespace)
        replace(found, release=release, namespace=namespace, ends_with_owners=False).save(place)
        return Another()

    yield give
    forwards.end(place)


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Dagster]]:
    """A function that starts a Dagster of the module's own in the DuckDB lane, which needs no platform.

    It takes a folder for what Dagster keeps (a product's state is `home/products/<name>` in it), `definitions.py` by
    code location, and variables for every process; the locations are loaded when it returns.
    """
    from floe_ops.clients.dagster import Dagster
    from floe_ops.targets.local.dagster import SWEEPER, Deployment, Location
    from polaris_standin.contract.stack import Process, free_port

    with ExitStack() as processes:

        def start(folder: Path, files: Mapping[str, Path], **variables: str) -> Dagster:
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            fixed = {"FLOE_LANE": "duckdb", "OTEL_SDK_DISABLED": "true", "DO_NOT_TRACK": "1"}
            locations = tuple(Location(name, file, free_port()) for name, file in files.items())
            deployment = Deployment(folder / "home", free_port(), locations, kept | fixed | variables, str(folder))
            deployment.make_storage()
            for program in deployment.programs():
                if program.name == SWEEPER:
                    continue  # what a code server starts is in its session, and ends with that
                program.cwd.mkdir(parents=True, exist_ok=True)
                log = folder / f"{program.name}.log"
                processes.enter_context(Process(program.argv, log, program.env, program.cwd))
            client = Dagster(f"http://127.0.0.1:{deployment.port}")
            client.wait_until_loaded(LOADED_S, expected=tuple(files))
            return client

        yield start


@pytest.fixture(autouse=True)
def _platform_where_marked(request: pytest.FixtureRequest) -> None:
    """A test marked `platform` or `catalog` waits for the platform even when it takes no fixture of it."""
    if any(request.node.get_closest_marker(name) for name in NEEDS_PLATFORM):
        request.getfixturevalue("platform")


def _session_trace(session: pytest.Session) -> None:
    """Set up the tracer provider once and open the span of the session (T24).

    Not in `pytest_sessionstart`: pytest loads this file too late for it when it was started from the root.
    """
    if SESSION in session.stash:
        return
    stack = ExitStack()
    session.stash[SESSION] = stack
    stack.enter_context(tracing.started(always=True))
    stack.enter_context(span("suite tests/e2e", **{"floe.suite": "tests/e2e"}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the span of the session and send what is left."""
    session.stash.get(SESSION, ExitStack()).close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A span a test, around its fixtures too; it names the criteria that the test proves."""
    _session_trace(item.session)
    criteria = [str(one) for mark in item.iter_markers("requirement") for one in mark.args]
    with span(f"test {item.name}", **{"floe.test.id": item.nodeid, "floe.test.requirements": criteria}):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The outcome goes onto the test's span, which is the current one."""
    report = yield
    current = trace.get_current_span()
    if report.failed:
        current.set_status(Status(StatusCode.ERROR, f"{item.name} failed in its {call.when}"))
    if report.when == "call" or report.failed:
        current.set_attribute("floe.test.outcome", report.outcome)
    return report
