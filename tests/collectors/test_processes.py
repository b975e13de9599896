"""What a tree of processes spent between two readings."""

from __future__ import annotations

import os

import pytest

from collectors.processes import PssMeter, Totals, read_pss, spent


def test_each_process_spent_what_its_clock_moved_by():
    before = {1: Totals(user_s=1.0, system_s=0.5), 2: Totals(user_s=3.0)}
    now = {1: Totals(user_s=1.25, system_s=0.5), 2: Totals(user_s=3.0, system_s=0.125)}

    used = spent(before, now, {1: 0, 2: 1})

    assert (used[1].user_s, used[1].system_s) == (0.25, 0.0)
    assert (used[2].user_s, used[2].system_s) == (0.0, 0.125)


def test_a_process_that_ended_leaves_what_it_used_last_to_its_parent():
    """getrusage(2): a child's use is added to its parent's children when the parent waits for it."""
    before = {1: Totals(user_s=1.0), 2: Totals(user_s=0.75)}
    now = {1: Totals(user_s=1.0, waited_user_s=1.0)}

    used = spent(before, now, {1: 0, 2: 1})

    assert used[1].user_s == pytest.approx(0.25)


def test_a_process_that_lived_within_one_interval_is_counted():
    """It was never seen; its parent waited for it."""
    used = spent({1: Totals()}, {1: Totals(waited_user_s=0.5, waited_system_s=0.25)}, {1: 0})

    assert (used[1].user_s, used[1].system_s) == (0.5, 0.25)


def test_a_line_that_ended_together_falls_to_the_nearest_survivor():
    """Grandchild 3 ended, its parent 2 waited for it and ended too; 1 inherits both."""
    before = {1: Totals(), 2: Totals(user_s=0.5), 3: Totals(user_s=2.0)}
    now = {1: Totals(waited_user_s=2.75)}

    used = spent(before, now, {1: 0, 2: 1, 3: 2})

    assert used[1].user_s == pytest.approx(0.25)


def test_a_child_that_nobody_waited_for_takes_nothing_from_its_parent():
    """SIGCHLD ignored: the kernel adds nothing, and the parent's own use stays."""
    used = spent({1: Totals(), 2: Totals(user_s=5.0)}, {1: Totals(user_s=0.5)}, {1: 0, 2: 1})

    assert used[1].user_s == 0.5


def test_disk_bytes_of_an_ended_child_are_not_counted_twice():
    """Linux adds a child's /proc/PID/io to its parent's when the parent waits for it."""
    before = {1: Totals(read_bytes=100), 2: Totals(read_bytes=4096)}

    used = spent(before, {1: Totals(read_bytes=100 + 4096 + 512)}, {1: 0, 2: 1})

    assert used[1].read_bytes == 512


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="PSS is Linux's")
def test_pss_is_read_then_estimated_until_its_pause_is_over():
    """1 ms of reading buys 1 s of pause; meanwhile PSS moves with RssAnon."""
    meter = PssMeter()

    first, estimated_first = meter.read(os.getpid(), 1000, now_s=0.0)
    second, estimated_second = meter.read(os.getpid(), 5096, now_s=0.0)
    _, estimated_later = meter.read(os.getpid(), 5096, now_s=1e6)

    assert (estimated_first, estimated_second, estimated_later) == (False, True, False)
    assert first is not None
    assert second == first + 4096


def test_pss_that_cannot_be_read_is_none():
    """A process of another user, or one that has ended."""
    assert read_pss(2**22 + 1) is None
    assert PssMeter().read(2**22 + 1, None, now_s=0.0) == (None, False)
