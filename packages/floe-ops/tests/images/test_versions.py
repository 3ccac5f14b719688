from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_ops.images import versions
from floe_ops.images.versions import UnlabelledImageError, VersionMismatchError, stated

if TYPE_CHECKING:
    from collections.abc import Mapping

OCI = "org.opencontainers.image.version"

pytestmark = pytest.mark.requirement("WU2-AC1")


@pytest.mark.parametrize("label", [OCI, "org.label-schema.version", "version"])
def test_each_usual_label_states_the_version(label: str) -> None:
    assert stated({"config": {"Labels": {label: " v1.7.43 "}}}, {}) == "v1.7.43"
    assert stated({}, {"annotations": {label: "v1.7.43"}}) == "v1.7.43"


def test_the_standard_label_wins_and_a_label_wins_over_an_annotation() -> None:
    labels = {"version": "3", "org.label-schema.version": "2", OCI: "1"}
    assert stated({"config": {"Labels": labels}}, {"annotations": {OCI: "4"}}) == "1"
    assert stated({"config": {"Labels": {"version": "3"}}}, {"annotations": {OCI: "4"}}) == "3"


@pytest.mark.parametrize(
    "configuration",
    [{}, {"config": None}, {"config": {}}, {"config": {"Labels": None}}, {"config": {"Labels": {OCI: ""}}}],
)
def test_an_image_that_states_nothing_states_nothing(configuration: Mapping[str, Any]) -> None:
    assert stated(configuration, {"annotations": None}) == ""


def test_equal_versions_pass_and_so_does_the_wanted_one() -> None:
    versions.check({"linux/amd64": "v1", "linux/arm64": "v1"})
    versions.check({"linux/amd64": "v1", "linux/arm64": "v1"}, wanted="v1")


def test_versions_that_differ_are_refused_whatever_is_allowed() -> None:
    with pytest.raises(VersionMismatchError, match="different versions") as caught:
        versions.check({"linux/amd64": "v1", "linux/arm64": "v2"}, allow_unlabelled=True)
    assert caught.value.why == "linux/amd64 is v1, linux/arm64 is v2"


def test_both_of_another_version_than_wanted_are_refused() -> None:
    with pytest.raises(VersionMismatchError, match="not all of version v1"):
        versions.check({"linux/amd64": "v2", "linux/arm64": "v2"}, wanted="v1")


@pytest.mark.parametrize("arm64", ["", "v1"])
def test_an_image_that_states_nothing_is_refused_unless_it_is_allowed(arm64: str) -> None:
    stating = {"linux/amd64": "", "linux/arm64": arm64}
    with pytest.raises(UnlabelledImageError, match="linux/amd64"):
        versions.check(stating, wanted="v1")
    versions.check(stating, wanted="v1", allow_unlabelled=True)


def test_an_image_that_states_another_version_is_refused_beside_an_allowed_silent_one() -> None:
    with pytest.raises(VersionMismatchError):
        versions.check({"linux/amd64": "", "linux/arm64": "v2"}, wanted="v1", allow_unlabelled=True)
