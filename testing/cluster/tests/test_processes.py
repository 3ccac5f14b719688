from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bare_cluster import processes
from bare_cluster.layout import Layout
from bare_cluster.processes import Daemon, Daemons, Process


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    own = Process.of(os.getpid())
    assert own.lives
    assert not Process(own.pid, own.started - 60).lives


def test_a_killed_process_lives_no_more_though_nobody_reaped_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = Process.of(child.pid)
        found.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not found.lives
        found.kill()


def test_another_process_of_that_number_is_not_killed() -> None:
    Process(os.getpid(), 0.0).kill()


def test_notes_are_read_as_they_were_written(place: Layout) -> None:
    assert (processes.first(place), processes.daemons(place), processes.groups(place)) == (None, None, [])
    one, two = Process(4, 1.5), Process(5, 2.5)
    processes.note(place, one, two)
    told = Daemons("started", (Daemon("etcd", 5), Daemon("kubelet", 6, 1)))
    processes.note_daemons(place.daemons, told)
    processes.note_groups(place, [Path("/sys/fs/cgroup/memory/floe-bare-7")])
    assert processes.first(place) == two
    assert processes.daemons(place) == told
    assert [each.name for each in told.ended] == ["kubelet"]
    assert processes.groups(place) == [Path("/sys/fs/cgroup/memory/floe-bare-7")]
