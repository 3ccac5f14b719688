"""The collector in the chart (T20 to T22): its pods by their label, the configuration they mount, where it exports.

AD-2: the test follows the chart's label, `app.kubernetes.io/component=otel`.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from floe_ops import roundtrip, toolchain
from floe_ops.clients.jaeger import Jaeger

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.targets import Platform

    from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.cluster, pytest.mark.platform]

SELECTOR = "app.kubernetes.io/component=otel"
LIMIT_S = 30


def mounted(installed: Installed, component: str) -> str:
    """The configuration that a component's container is started with, read from the volume that it has mounted."""
    (pod,) = installed.pods(component)
    spec = pod.document["spec"]
    (container,) = spec["containers"]
    argument = next(word for word in container["args"] if word.startswith("--config="))
    folder, _, file = argument.removeprefix("--config=").removeprefix("file:").rpartition("/")
    name = next(mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == folder)
    source = next(volume["configMap"]["name"] for volume in spec["volumes"] if volume["name"] == name)
    document = installed.cluster.get(f"/api/v1/namespaces/{installed.namespace}/configmaps/{source}")
    assert document is not None
    return str(document["data"][file])


def validate(config: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the real collector says of a configuration."""
    path = folder / "collector.yaml"
    path.write_text(config, encoding="utf-8")
    words = [str(toolchain.ensure("otelcol")), "validate", f"--config={path}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.fixture
def collector(installed: Installed) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(mounted(installed, "otel"))
    return config


@pytest.mark.requirement("WU4-AC1")
def test_the_selector_finds_the_collectors_pod(installed: Installed) -> None:
    pods = [pod for pod in installed.cluster.pods(installed.namespace, SELECTOR) if not pod.ending]
    assert len(pods) == 1
    assert pods[0].ready
    ports = {port["containerPort"] for port in pods[0].document["spec"]["containers"][0]["ports"]}
    assert {4317, 4318, 13133} <= ports
    assert "otel" in pods[0].containers[0].image


@pytest.mark.requirement("WU4-AC2")
def test_the_configuration_that_is_mounted_is_valid(installed: Installed, tmp_path: Path) -> None:
    config = mounted(installed, "otel")
    done = validate(config, tmp_path)
    assert done.returncode == 0, done.stderr
    broken = yaml.safe_load(config)
    broken["service"]["pipelines"]["traces"]["exporters"] = ["otlp/nowhere"]
    assert "nowhere" in validate(yaml.safe_dump(broken), tmp_path).stderr


@pytest.mark.requirement("WU4-AC2", "WU4-AC3")
def test_it_exports_otlp_grpc_to_jaeger_whose_receiver_is_on(installed: Installed, collector: dict[str, Any]) -> None:
    pipeline = collector["service"]["pipelines"]["traces"]
    (exporter,) = [name for name in pipeline["exporters"] if name.split("/")[0] == "otlp"]
    assert pipeline["receivers"] == ["otlp"]
    host, _, port = collector["exporters"][exporter]["endpoint"].rpartition(":")
    (service,) = [one for one in installed.cluster.services(installed.namespace) if one["metadata"]["name"] == host]
    (target,) = [one for one in service["spec"]["ports"] if one["port"] == int(port)]
    assert (target["name"], service["spec"]["selector"]["app.kubernetes.io/component"]) == (
        "jaeger-otlp-grpc",
        "jaeger",
    )
    jaeger = yaml.safe_load(mounted(installed, "jaeger"))
    assert jaeger["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].endswith(f":{target['targetPort']}")
    assert "otlp" in jaeger["service"]["pipelines"]["traces"]["receivers"]


@pytest.mark.requirement("WU4-AC3")
def test_jaegers_own_receiver_takes_a_trace(platform: Platform) -> None:
    """Past the collector: what is found then came in by Jaeger's receiver."""
    result = roundtrip.verify(platform.urls["jaeger-otlp-http"], platform.urls["jaeger-query"])
    assert result.spans == len(roundtrip.SHAPE)


@pytest.mark.requirement("WU4-AC4")
def test_a_trace_through_the_cluster_is_found_by_its_id(platform: Platform) -> None:
    result = roundtrip.verify(platform.urls["otlp-http"], platform.urls["jaeger-query"])
    assert result.spans == len(roundtrip.SHAPE)
    assert roundtrip.SERVICE in Jaeger(platform.urls["jaeger-query"]).services()
