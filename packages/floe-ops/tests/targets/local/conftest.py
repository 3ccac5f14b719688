"""A project root of its own for each platform that the tests start, and what they look at it with."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests
from floe_ops.targets.local.layout import Layout
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_ops.targets.interface import Platform
    from floe_ops.targets.local import LocalTarget

PROJECT = Path(__file__).resolve().parents[5]
FOREIGN = ("FLOE_", "AWS_", "POLARIS_", "OTEL_", "TRACEPARENT")


def until(look: Callable[[], bool], deadline: float = 10.0) -> bool:
    """Look until it is true, from 50 ms; False when it never was."""
    looking = Retrying(
        stop=stop_after_delay(deadline),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        retry=retry_if_result(lambda seen: not seen),
        retry_error_callback=lambda _state: False,
    )
    return bool(looking(look))


@contextmanager
def fresh_root(folder: Path) -> Iterator[Path]:
    """An empty project with the real one's pins and tools; what runs in it is ended afterwards."""
    root = folder / "a project, 100% new"  # a space and a percent sign: people's folders have them
    root.mkdir()
    for name in ("toolchain", "pyproject.toml", "uv.lock", "noxfile.py"):
        (root / name).symlink_to(PROJECT / name)
    with pytest.MonkeyPatch.context() as patch:
        tools = os.environ.get("FLOE_TOOLS") or str(PROJECT / ".floe" / "tools")
        for name in list(os.environ):
            if name.startswith(FOREIGN):
                patch.delenv(name)
        patch.setenv("FLOE_ROOT", str(root))
        patch.setenv("FLOE_TOOLS", tools)
        from floe_ops.targets.local import LocalTarget

        try:
            yield root
        finally:
            patch.delenv("FLOE_RUN_PID", raising=False)
            LocalTarget().down()


@pytest.fixture(autouse=True)
def _no_socket_folder_stays(tmp_path: Path) -> Iterator[None]:
    """A layout below a long path has its sockets in the temp folder; one that a test only made is removed here."""
    yield
    sockets = Layout(tmp_path).sockets
    if sockets != Layout(tmp_path).run:
        shutil.rmtree(sockets, ignore_errors=True)
    shutil.rmtree(Layout(tmp_path / ".floe").sockets, ignore_errors=True)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with fresh_root(tmp_path) as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with fresh_root(tmp_path_factory.mktemp("shared")) as folder:
        yield folder


@pytest.fixture
def poll() -> Callable[[Callable[[], bool], float], bool]:
    return until


@pytest.fixture
def family() -> Callable[[Path], list[psutil.Process]]:
    """The processes of the platform in a root: supervisord and everything below it."""

    def find(root: Path) -> list[psutil.Process]:
        pid = int((root / ".floe/run/platform/supervisord.pid").read_text(encoding="utf-8"))
        return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]

    return find


@pytest.fixture
def alive() -> Callable[[list[psutil.Process]], list[psutil.Process]]:
    """Those of some processes that are still there; one that only waits to be reaped is not."""

    def still(processes: list[psutil.Process]) -> list[psutil.Process]:
        found = []
        for process in processes:
            try:
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    return still


@pytest.fixture
def store() -> Callable[[Platform], Any]:
    """A boto3 client for a platform's object store, without retries."""

    def connect(platform: Platform) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=platform.urls["s3"],
            aws_access_key_id=platform.secrets["s3-access-key"],
            aws_secret_access_key=platform.secrets["s3-secret-key"],
            region_name=platform.region,
            config=Config(retries={"max_attempts": 0}),
        )

    return connect


@pytest.fixture(scope="session")
def row() -> Callable[[LocalTarget, str], dict[str, Any]]:
    """One service's status as a dict."""
    return lambda target, name: next(vars(each) for each in target.status() if each.name == name)


@pytest.fixture(scope="session")
def token() -> Callable[[Platform, str], requests.Response]:
    """The catalog's answer to a sign-in of the platform's own client with some secret."""

    def ask(platform: Platform, secret: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": platform.client_id,
            "client_secret": secret,
            "scope": "PRINCIPAL_ROLE:ALL",
        }
        return requests.post(f"{platform.urls['polaris']}/api/catalog/v1/oauth/tokens", data=form, timeout=10)

    return ask
