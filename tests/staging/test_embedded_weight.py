"""What makes the API light or heavy, its data, and the trace header, each by itself."""

from __future__ import annotations

import hashlib
import mmap
import time
from pathlib import Path

import pytest

from staging.embedded.board import Boards, create
from staging.embedded.tracing import traced
from staging.embedded.weight import burn, hold


@pytest.mark.parametrize("cpu_s", [0.0, 0.002, 0.04])
def test_a_burn_takes_the_threads_own_cpu_time_and_hardly_more(cpu_s: float):
    """One chunk of 16 KiB is some 10 to 40 µs of hashing; three milliseconds are left for a noisy machine."""
    before = time.thread_time()

    burn(cpu_s)

    assert cpu_s <= time.thread_time() - before < cpu_s + 0.003 + cpu_s * 0.05


def test_no_two_pages_of_held_memory_are_equal_and_none_is_empty():
    """Equal pages can be merged (KSM), empty ones dropped, and then they would not be there to be measured."""
    held = hold(5 * 2**20 + 12_345)
    assert held is not None

    pages = [held[at : at + mmap.PAGESIZE] for at in range(0, len(held), mmap.PAGESIZE)]

    assert len(held) == 5 * 2**20 + 12_345
    assert len({hashlib.sha256(page).digest() for page in pages}) == len(pages)
    assert all(any(page) for page in pages)


def test_holding_nothing_holds_nothing():
    assert hold(0) is None


def test_the_same_seed_gives_the_same_boards_and_another_seed_others(tmp_path: Path):
    files = [tmp_path / f"{name}.sqlite" for name in "abc"]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        create(file, seed, "demo@example.run", "demo-password")

    first, again, other = (Boards(file).page(1) for file in files)

    assert first == again
    assert first != other


def test_a_trace_header_without_a_root_is_given_one():
    """ELB user guide, request tracing: other fields are kept."""
    assert traced("CalledFrom=app", 0x65000000).startswith("CalledFrom=app;Root=1-65000000-")
    assert traced(None, 0x65000000).startswith("Root=1-65000000-")
