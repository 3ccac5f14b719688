from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from bare_cluster import network
from bare_cluster.network import SLOTS, Network
from floe_core.errors import ExitCode, WrongStateError


def test_every_slot_has_networks_and_a_link_of_its_own() -> None:
    all_networks = [each for slot in range(SLOTS) for each in Network(slot).all]
    assert len(set(all_networks)) == 3 * SLOTS
    assert not any(one.overlaps(two) for one, two in zip(sorted(all_networks), sorted(all_networks)[1:], strict=False))
    assert all(len(Network(slot).link) <= 15 for slot in range(SLOTS))


def test_addresses_of_a_slot() -> None:
    found = Network(7)
    assert [str(each) for each in found.all] == ["10.99.7.0/30", "10.200.7.0/24", "10.201.7.0/24"]
    assert (str(found.host), str(found.node)) == ("10.99.7.1", "10.99.7.2")
    assert (str(found.api), str(found.dns)) == ("10.201.7.1", "10.201.7.10")
    assert found.url == "https://10.99.7.2:6443"


def test_a_folder_asks_for_the_same_slot_each_time_and_two_for_different_ones() -> None:
    one, two = Path("/one"), Path("/two")
    assert network.choose(one, []) == network.choose(one, [])
    assert network.choose(one, []) != network.choose(two, [])


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_slot_of_which_any_network_is_taken_is_passed_by(which: int) -> None:
    state = Path("/one")
    first = network.choose(state, [])
    assert network.choose(state, [first.all[which]]).slot == (first.slot + 1) % SLOTS


def test_a_wide_route_takes_what_it_covers() -> None:
    with pytest.raises(WrongStateError, match="no addresses are left") as refused:
        network.choose(Path("/one"), [IPv4Network("10.0.0.0/8")])
    assert refused.value.exit_code == ExitCode.WRONG


def test_objects_keep_their_addresses_or_nothing_starts() -> None:
    assert network.choose(Path("/one"), [], kept=9) == Network(9)
    with pytest.raises(WrongStateError, match="addresses of this cluster are taken") as refused:
        network.choose(Path("/one"), [Network(9).services], kept=9)
    assert "--wipe" in refused.value.remedy


def test_routes_are_read_but_for_the_default_one() -> None:
    text = '[{"dst":"default","gateway":"192.0.2.1"},{"dst":"192.0.2.0/24"},{"dst":"10.99.7.2"}]'
    assert [str(each) for each in network.parse_routes(text)] == ["192.0.2.0/24", "10.99.7.2/32"]
    assert network.parse_routes("") == []
