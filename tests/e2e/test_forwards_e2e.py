"""WU-8, T44: the forwards of a cluster take ports that are free, and end with whoever they were made for."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import pytest
import requests
from floe_core.errors import ExitCode
from floe_ops.audits.collected import outside_of_a_run
from floe_ops.services import CLUSTER, services
from floe_ops.targets import lease
from floe_ops.targets.cluster import endpoints, forwards
from floe_ops.targets.local import ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_ops.targets import Target
    from floe_ops.targets.cluster import ClusterTarget
    from floe_ops.targets.cluster.layout import Layout

    from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.cluster, pytest.mark.platform, pytest.mark.timeout(240)]

KNOWN = {port for service in services(CLUSTER).values() for port in service.ports.values()}
END_S = 5.0
SCRIPT = "testing/ci/test-e2e.sh"


@pytest.fixture
def taken() -> Iterator[None]:
    """Every usual port, 8181 and 8182 among them, is somebody else's."""
    with ExitStack() as held:
        for port in KNOWN:
            listener = held.enter_context(closing(socket.socket()))
            with suppress(OSError):  # then somebody has it already
                listener.bind((ports.HOST, port))
                listener.listen(1)
        yield


@pytest.fixture
def own(installed: Installed, another: Callable[[str, str], ClusterTarget]) -> ClusterTarget:
    """The platform's release, with files and forwards of the test's own."""
    return another(installed.settings.release, installed.namespace)


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, for which the forwards are kept."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as waiting:
        yield waiting
        waiting.kill()


def keep(target: ClusterTarget, installed: Installed, pid: int) -> forwards.Forwards:
    lease.add(target.layout.owners, str(pid))
    return forwards.ensure(target.layout, endpoints.find(installed.cluster, installed.settings))


def serves(kept: forwards.Forwards) -> bool:
    answer = requests.get(f"{kept.urls['polaris-management']}/q/health/ready", timeout=10)
    return answer.status_code == 200


def gone(kept: forwards.Forwards) -> bool:
    return not kept.lives and all(ports.is_free(port) for port in kept.ports.values())


@pytest.mark.requirement("WU8-BC1")
@pytest.mark.usefixtures("taken")
def test_forwards_are_on_free_ports_while_the_usual_ones_are_taken_and_end_cleanly(
    installed: Installed, own: ClusterTarget
) -> None:
    kept = keep(own, installed, os.getpid())
    assert {"polaris", "polaris-management", "s3", "otlp-http", "jaeger-query", "dagster"} <= kept.ports.keys()
    assert len(set(kept.ports.values())) == len(kept.ports)
    assert not KNOWN & set(kept.ports.values())
    assert serves(kept)
    api = requests.get(f"{kept.urls['polaris']}/api/catalog/v1/config", timeout=10)
    assert api.status_code == 401, "the other port of the same pod"
    forwards.end(own.layout)
    installed.until(lambda: gone(kept), "process and ports are gone", END_S)


@pytest.mark.requirement("WU8-BC1")
def test_forwards_end_when_their_owner_is_killed(
    installed: Installed, own: ClusterTarget, owner: subprocess.Popen[bytes]
) -> None:
    kept = keep(own, installed, owner.pid)
    assert serves(kept)
    owner.kill()
    owner.wait()
    installed.until(lambda: gone(kept), "process and ports are gone", END_S)


@pytest.mark.requirement("WU8-BC1")
def test_the_script_reports_what_failed_and_gives_back_what_it_held(
    target: Target, installed: Installed, project_root: Path
) -> None:
    """It goes through up, bootstrap and wait; then the suite is asked for a unit that there is not."""
    layout: Layout = target.layout  # type: ignore[attr-defined] # the cluster target's
    owners, kept = lease.living(layout.owners), forwards.find(layout)
    shutil.rmtree(layout.report, ignore_errors=True)
    plain = {key: value for key, value in outside_of_a_run(os.environ).items() if not key.startswith(("FLOE_", "AWS_"))}
    done = subprocess.run(
        ["bash", str(project_root / SCRIPT), "--unit", "WU99"],
        env=plain | {"FLOE_TARGET": CLUSTER},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == ExitCode.FAILED, said
    assert "the units are WU1" in said, said
    assert re.search(r"catalog floe-e2e at \S+ is ready .*looks: [3-9]", said), said
    assert lease.living(layout.owners) == owners
    assert forwards.find(layout) == kept, "those of others go on"
    written = {path.name for path in layout.report.iterdir() if path.stat().st_size}
    assert {"events.txt", "state.json", "status.json", "logs.txt"} <= written
    secrets = (installed.cluster.secret(installed.namespace, f"{installed.settings.release}-polaris") or {}).values()
    for path in layout.report.iterdir():
        assert not [value for value in secrets if len(value) > 8 and value in path.read_text(encoding="utf-8")]
