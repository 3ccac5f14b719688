"""What can go wrong with installed plugins, through the installed `floe`, each in processes of its own.

Distributions are laid down as an installer leaves them. The platform chooses `rbac: k8s`, which is really installed,
and a store of secrets that is named `k8s` as well and needs it.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

pytestmark = pytest.mark.duckdb

FLOE = Path(sys.executable).with_name("floe")
HANG_S, BOUND_S = 30, 10.0
MANIFEST = """
    apiVersion: floe.dev/v1
    kind: Manifest
    metadata: {name: lifecycle, version: 1.0.0, owner: platform}
    plugins:
      compute: {type: duckdb}
      dbt: {type: core}
      rbac: {type: k8s}
      secrets: {type: k8s}
"""
PRODUCT = """
    apiVersion: floe.dev/v1
    kind: FloeSpec
    metadata: {name: orders, version: 0.1.0, description: Orders by day., owner: sales-data}
    platform: {manifest: ../manifest.yaml}
    transforms: [{name: bronze_orders, tier: bronze}]
"""
STORE = """
    import time
    from floe_core.plugins import PluginType, SecretNotFoundError, SecretsPlugin

    class Store(SecretsPlugin):
        name, version, floe_api_version = "k8s", "7.0.0", "1.0"
        description, tracer_name = "made up", "floe.made-up"
        dependencies = (PluginType.RBAC,)

        def get(self, name):
            raise SecretNotFoundError(f"there is no secret {name}")

        def names(self):
            return ()
"""
LIVE = """
import json, sys
from pathlib import Path
from floe_core.plugins import PluginType
from floe_core.registry import Registry
from floe_core.registry.lifecycle import Lifecycle, Limits

registry = Registry()
made = [registry.create(PluginType(kind), name, {}) for kind, name in (("secrets", "k8s"), ("rbac", "k8s"))]
life = Lifecycle(made, Limits(startup_s=1, shutdown_s=1, health_s=1))
began, health = life.start(), life.health()
started = life.started
ended = life.stop()
print(json.dumps({
    "started": started,
    "told": [str(one) for report in (began, health, ended) for one in report.outcomes if not one.ok],
    "stopped": [one.entry.key for one in ended.outcomes],
}))
"""


class Site:
    """A folder of made-up distributions before everything that is installed, and a product that needs one of them."""

    def __init__(self, folder: Path) -> None:
        self.packages, self.product = folder / "packages", folder / "orders"
        self.packages.mkdir()
        self.product.mkdir()
        self.manifest = folder / "manifest.yaml"
        self.manifest.write_text(dedent(MANIFEST), encoding="utf-8")
        (self.product / "floe.yaml").write_text(dedent(PRODUCT), encoding="utf-8")
        self.install("floe-secrets-k8s", "[floe.secrets]\nk8s = made_up_store:Store\n")
        self.store(STORE)

    def install(self, name: str, entry_points: str, version: str = "7.0.0") -> Path:
        info = self.packages / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)
        return info

    def store(self, source: str) -> None:
        (self.packages / "made_up_store.py").write_text(dedent(source), encoding="utf-8")

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.packages), "NO_COLOR": "1", "COLUMNS": "400"}
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def validate(self) -> subprocess.CompletedProcess[str]:
        return self.run(FLOE, "validate", self.product)

    def listed(self, *words: str | Path) -> list[dict[str, object]]:
        done = self.run(FLOE, "plugins", "--json", *words)
        rows: list[dict[str, object]] = json.loads(done.stdout)
        return rows

    def live(self) -> dict[str, list[object]]:
        done = self.run(sys.executable, "-c", LIVE)
        assert done.returncode == 0, done.stderr
        answer: dict[str, list[object]] = json.loads(done.stdout)
        return answer


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def is_refused(site: Site, *told: str) -> None:
    """`floe validate` names the manifest's line and says `told`, without a trace, and nothing else is hidden."""
    done = site.validate()
    answer = done.stdout + done.stderr
    assert done.returncode == 4, answer
    assert "manifest.yaml:" in answer
    assert "Traceback" not in answer
    for word in told:
        assert word in answer, answer
    assert {("compute", "duckdb"), ("rbac", "k8s")} <= {(row["type"], row["name"]) for row in site.listed()}


@pytest.mark.requirement("WU6-X2")
def test_two_plugins_named_k8s_are_two_plugins_and_live_in_order(site: Site) -> None:
    done = site.validate()
    assert done.returncode == 0, done.stdout + done.stderr
    answer = site.live()
    assert answer == {
        "started": [["rbac", "k8s"], ["secrets", "k8s"]],
        "told": [],
        "stopped": [["secrets", "k8s"], ["rbac", "k8s"]],
    }


@pytest.mark.requirement("WU6-X2")
def test_a_plugin_that_was_removed_is_told_with_what_to_do(site: Site) -> None:
    shutil.rmtree(next(site.packages.glob("*.dist-info")))
    is_refused(site, "FLOE-E201", "no plugin of type secrets is named 'k8s'", "floe-secrets-k8s")


@pytest.mark.requirement("WU6-X2")
@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_sdk", "install what provides the module no_such_sdk"),
        ("class class", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        (STORE.replace("def get", "def got"), "does not implement get"),
        (STORE.replace('"1.0"\n', '"2.0"\n'), "it was written for plugin API 2.0, and this is 1.0"),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why(site: Site, source: str, told: str) -> None:
    site.store(source)
    is_refused(site, "FLOE-E203", told, "floe-secrets-k8s")


@pytest.mark.requirement("WU6-X2")
def test_a_doubled_plugin_names_both(site: Site) -> None:
    site.install("another-k8s", "[floe.secrets]\nk8s = made_up_store:Store\n")
    is_refused(site, "FLOE-E203", "another-k8s 7.0.0", "floe-secrets-k8s 7.0.0", "uninstall one")


@pytest.mark.requirement("WU6-X2")
@pytest.mark.parametrize(
    ("entry_points", "told"),
    [
        (b"[floe.secrets]\nk8s made_up_store\n\nk8s\n", "not of the form name = module:Class"),
        (b"[floe.secrets]\nk8s = made_up_store\n", "not module:Class"),
        (b"[floe.secrets]\nk8s = made_up_store:Store\n\xff\n", "not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_declaration_hides_nothing_and_is_told(site: Site, entry_points: bytes | None, told: str) -> None:
    file = next(site.packages.glob("*.dist-info")) / "entry_points.txt"
    file.unlink()
    if entry_points is None:
        file.mkdir()  # a file that cannot be read, also for root
    else:
        file.write_bytes(entry_points)
    is_refused(site, "FLOE-E203", told, "floe-secrets-k8s" if entry_points else "floe_secrets_k8s")


@pytest.mark.requirement("WU6-X2")
def test_a_dependency_that_is_not_chosen_is_told(site: Site) -> None:
    site.manifest.write_text(dedent(MANIFEST.replace("      rbac: {type: k8s}\n", "")), encoding="utf-8")
    is_refused(site, "FLOE-E215", "'k8s' of type secrets needs a plugin of type rbac", "choose one under plugins.rbac")


@pytest.mark.requirement("WU6-X2")
def test_a_cycle_is_named_whole(site: Site) -> None:
    site.install("floe-quality-k8s", "[floe.quality]\nk8s = made_up_judge:Judge\n")
    site.store(STORE.replace("(PluginType.RBAC,)", "(PluginType.QUALITY,)"))
    judge = """
        from floe_core.plugins import PluginType, QualityPlugin

        class Judge(QualityPlugin):
            name, version, floe_api_version = "k8s", "7.0.0", "1.0"
            dependencies = (PluginType.SECRETS,)

            def evaluate(self, *_):
                raise NotImplementedError
    """
    (site.packages / "made_up_judge.py").write_text(dedent(judge), encoding="utf-8")
    site.manifest.write_text(f"{dedent(MANIFEST)}  quality: {{type: k8s}}\n", encoding="utf-8")
    is_refused(site, "FLOE-E215", "quality 'k8s' -> secrets 'k8s' -> quality 'k8s'")


@pytest.mark.requirement("WU6-X2")
def test_a_health_check_that_hangs_costs_its_limit_and_the_process_ends(site: Site) -> None:
    site.store(f"{dedent(STORE)}\n    def health_check(self, timeout_s):\n        time.sleep({HANG_S})\n")
    begin = time.monotonic()
    done = site.run(FLOE, "plugins", "--health", "--json", "--timeout", "1", "--manifest", site.manifest)
    assert time.monotonic() - begin < BOUND_S
    assert done.returncode == 4, done.stdout + done.stderr
    rows = {(row["type"], row["name"]): row for row in json.loads(done.stdout)}
    assert not rows["secrets", "k8s"]["ok"]
    assert "did not answer within 1 s" in json.dumps(rows["secrets", "k8s"])
    assert rows["rbac", "k8s"]["ok"]
    assert rows["compute", "duckdb"]["ok"]


@pytest.mark.requirement("WU6-X2")
@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ("startup", ["startup no answer: it did not answer within 1 s", "shutdown not called"]),
        ("shutdown", ["shutdown no answer: it did not answer within 1 s"]),
    ],
)
def test_a_hook_that_hangs_costs_its_limit_and_the_process_ends(site: Site, hook: str, told: list[str]) -> None:
    site.store(f"{dedent(STORE)}\n    def {hook}(self):\n        time.sleep({HANG_S})\n")
    begin = time.monotonic()
    answer = site.live()
    assert time.monotonic() - begin < BOUND_S
    assert ["rbac", "k8s"] in answer["started"]
    assert ["rbac", "k8s"] in answer["stopped"]
    assert [str(line).partition(": ")[2].startswith(word) for line, word in zip(answer["told"], told, strict=True)]


READER = """
import json, sys
from floe_core.errors import FloeError
from floe_core.plugins import PluginType
from floe_core.registry import Registry

prefix, folder = sys.argv[1:]
registry = Registry()
store = registry.create(PluginType.SECRETS, "env", {"prefix": prefix, "directories": [folder]}).instance
config = {"bucket": "floe-iceberg", "access_key": {"secret": "store-id"}, "secret_key": {"secret": "store/key"}}
storage = registry.create(PluginType.STORAGE, "s3", config, secrets=store.get).instance
seen, failed = [], []

def read():
    try:
        properties = storage.fileio_properties()
        seen.append((properties["s3.access-key-id"], properties["s3.secret-access-key"][:4]))
    except FloeError as error:
        failed.append(str(error))

read()
print("reading", flush=True)
for _ in sys.stdin:
    read()
print(json.dumps({"seen": sorted(set(seen)), "failed": failed, "names": store.names(), "repr": repr(storage.config)}))
"""


def publisher(mount: Path) -> Callable[[str], None]:
    """Writes a generation of a Secret's volume as the kubelet does, and swaps it in by one rename."""
    mount.mkdir()
    numbers = itertools.count()

    def publish(value: str) -> None:
        data, made = mount / "..data", mount / f"..2026_11_23_15_00_00.{next(numbers)}"
        (made / "store").mkdir(parents=True)
        (made / "store" / "key").write_text(f"{value}\n", encoding="utf-8")
        before = data.resolve() if data.is_symlink() else None
        (mount / "..data_tmp").symlink_to(made.name)
        (mount / "..data_tmp").rename(data)
        if before is None:
            (mount / "store").symlink_to("..data/store")
        else:
            shutil.rmtree(before)

    return publish


@pytest.mark.requirement("WU6-X1", "WU6-X3")
def test_secrets_reach_another_plugin_from_the_environment_and_a_mount_that_rotates(tmp_path: Path) -> None:
    """A process that reads all the time while another replaces the mount sees old or new, and shows neither."""
    publish = publisher(tmp_path / "mount")
    publish("old-planted-value")
    environment = {**os.environ, "LIFECYCLE_SECRET_STORE_ID": "an-id-planted"}  # nosec B105 - planted
    words = [sys.executable, "-c", READER, "LIFECYCLE_SECRET_", str(tmp_path / "mount")]
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        # Else the mount would have been replaced for the last time before anybody looked.
        assert reader.stdout.readline() == "reading\n"
        for turn in range(300):
            reader.stdin.write("read\n")
            reader.stdin.flush()
            publish(f"{'new' if turn % 2 else 'two'}-planted-value")
        out, error = reader.communicate(timeout=60)
    assert reader.returncode == 0, error
    answer = json.loads(out)
    assert answer["failed"] == []
    assert {value for _, value in answer["seen"]} == {"old-", "new-", "two-"}
    assert {name for name, _ in answer["seen"]} == {"an-id-planted"}
    assert answer["names"] == ["STORE_ID", "store/key"]
    assert "planted" not in answer["repr"] + error
