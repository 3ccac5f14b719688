"""Manifests against the schemas of Kubernetes itself."""

from __future__ import annotations

import pytest
import yaml
from floe_ops.chart import manifests
from floe_ops.chart.manifests import Schemas, problems_of

RIGHT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers: [{name: c, image: i, resources: {limits: {cpu: 1}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}}
---
"""


@pytest.mark.parametrize("version", ["1.30", "1.34"])
def test_what_is_right_passes(version: str) -> None:
    assert problems_of(RIGHT, Schemas(version)) == (2, [])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("image: i", "image: i, imagePolicy: x", "imagePolicy"),
        ("name: c", "name: 1", "is not of type 'string'"),
        ("kind: Deployment", "kind: Deploiment", "this Kubernetes has no Deploiment of apps/v1"),
        ("apps/v1", "apps/v1beta1", "has no Deployment of apps/v1beta1"),
        ("selector: {matchLabels: {a: b}}", "paused: false", "'selector' is a required property"),
    ],
)
def test_what_is_wrong_is_told(old: str, new: str, told: str) -> None:
    count, found = problems_of(RIGHT.replace(old, new, 1), Schemas("1.34"))
    assert count == 2
    assert len(found) == 1
    assert told in found[0]


def test_the_same_object_twice_is_told() -> None:
    assert problems_of(f"{RIGHT}{RIGHT}", Schemas("1.34"))[1] == [
        "Deployment a: it is there twice",
        "NetworkPolicy a: it is there twice",
    ]


def test_the_same_key_twice_is_an_error() -> None:
    with pytest.raises(yaml.YAMLError, match="the key name twice"):
        problems_of("metadata: {name: a, name: b}", Schemas("1.34"))


def test_every_minor_version_from_the_oldest_that_the_chart_takes_is_tried() -> None:
    assert manifests.versions()[:5] == ("1.30", "1.31", "1.32", "1.33", "1.34")
