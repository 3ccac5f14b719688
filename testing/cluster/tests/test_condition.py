from __future__ import annotations

import os
from pathlib import Path

import pytest
from bare_cluster import condition, network, processes, settings
from bare_cluster.condition import State
from bare_cluster.layout import Layout
from bare_cluster.processes import Daemon, Daemons, Process
from bare_cluster.settings import Settings
from filelock import FileLock
from floe_core.errors import WrongStateError

RUNNING = (Daemon("etcd", 5), Daemon("kubelet", 6))


@pytest.mark.parametrize(
    ("told", "connected", "state"),
    [
        (None, False, State.STARTING),
        (Daemons("link", ()), False, State.STARTING),
        (Daemons("api", RUNNING), True, State.STARTING),
        (Daemons("started", RUNNING), True, State.RUNNING),
        (Daemons("started", RUNNING), False, State.DAMAGED),
        (Daemons("api", RUNNING), False, State.DAMAGED),
        (Daemons("started", (*RUNNING, Daemon("kube-proxy", 7, -9))), True, State.DAMAGED),
        (Daemons("api", (Daemon("etcd", 5, 1),)), True, State.DAMAGED),
    ],
)
def test_the_state_of_a_cluster_that_lives(told: Daemons | None, connected: bool, state: State) -> None:
    found, why = condition.judge(told, connected=connected)
    assert found is state
    assert bool(why) == (state is State.DAMAGED)


def test_the_daemon_that_ended_is_named_with_its_code() -> None:
    told = Daemons("started", (Daemon("etcd", 5), Daemon("kube-proxy", 7, -9)))
    assert condition.judge(told, connected=True)[1] == "kube-proxy ended with code -9"


def test_nothing_is_absent(tmp_path: Path) -> None:
    found = condition.look(Layout(tmp_path / "none"))
    assert (found.state, found.lives, found.settings) == (State.ABSENT, False, None)
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_whose_first_process_is_gone_is_absent(place: Layout, settings: Settings) -> None:
    from bare_cluster import settings as kept

    kept.write(place, settings)
    processes.note(place, Process(1, 0.0), Process(1, 0.0))  # there is a process 1, and it started later than 1970
    found = condition.look(place)
    assert (found.state, found.settings) == (State.ABSENT, settings)


def test_a_living_cluster_is_judged(place: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from bare_cluster import settings as kept

    kept.write(place, settings)
    own = Process.of(os.getpid())
    processes.note(place, own, own)
    processes.note_daemons(place.daemons, Daemons("started", RUNNING))
    monkeypatch.setattr(network, "connected", lambda of: of == settings.network)
    found = condition.look(place)
    assert (found.state, found.first, found.lives) == (State.RUNNING, own, True)


def test_a_guardian_is_known_by_its_lock(place: Layout) -> None:
    assert not condition.guarded(place)
    with FileLock(place.alive):
        assert condition.guarded(place)
    assert not condition.guarded(place)


def test_a_guardian_that_tells_nothing_is_given_up(
    place: Layout, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bare_cluster import settings as kept

    kept.write(place, settings)
    monkeypatch.setattr(condition, "NOTED_S", 0.1)
    with FileLock(place.alive):
        assert condition.look(place).state is State.ABSENT


def test_settings_that_nobody_can_read_are_told(place: Layout) -> None:
    place.settings.write_text('{"slot": 300}', encoding="utf-8")
    with pytest.raises(WrongStateError, match="settings cannot be read"):
        condition.look(place)
    assert settings.read(Layout(place.state / "none")) is None
