"""What an end removes, and what it leaves because it may be another cluster's."""

from __future__ import annotations

import pytest
from bare_cluster import ending, network
from bare_cluster import settings as kept
from bare_cluster.layout import Layout
from bare_cluster.network import Network
from bare_cluster.settings import Settings


@pytest.fixture
def disconnected(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    seen: list[Network] = []
    monkeypatch.setattr(network, "disconnect", seen.append)
    return seen


def test_the_link_of_a_start_that_was_cut_short_is_removed_once(
    place: Layout, settings: Settings, disconnected: list[Network]
) -> None:
    place.run.mkdir(exist_ok=True)
    kept.write(place, settings)
    ending.end(place)
    assert disconnected == [settings.network]
    assert not place.run.exists()
    ending.end(place)  # by now these addresses may be another cluster's
    assert len(disconnected) == 1


@pytest.mark.parametrize("wipe", [False, True])
def test_data_stays_unless_it_is_to_be_wiped(
    place: Layout, settings: Settings, disconnected: list[Network], wipe: bool
) -> None:
    kept.write(place, settings)
    (place.state / "volumes").mkdir(exist_ok=True)
    ending.end(place, wipe=wipe)
    assert place.state.exists() is not wipe
