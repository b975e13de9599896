"""Which heap and collector a JVM chooses, against published cases, and what it would hold with another heap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue
from sizing.jvm import (
    MAX_RAM_BYTES,
    SERVER_CPUS,
    SERVER_MEMORY_BYTES,
    HeapPercentages,
    JvmMemory,
    cap_bytes,
    default_collector,
    held_elsewhere_bytes,
    held_when_capped_bytes,
    initial_heap_bytes,
    max_heap_bytes,
    overhead_bytes,
)

CASES = Path(__file__).parents[1] / "truth" / "cases"
MIB = 1 << 20


def case(name: str) -> dict[str, Any]:
    return json.loads((CASES / f"G-{name}.json").read_text())


def jvm(live: int | None, committed: int, most: int, metaspace: int = 0) -> JvmMemory:
    return JvmMemory("G1", 0, None if live is None else live * MIB, committed * MIB, most * MIB, metaspace * MIB)


def test_the_percentages_are_hotspots():
    """G-defaults: OpenJDK gc_globals.hpp."""
    expected = case("defaults")["expected"]

    flags = HeapPercentages()

    assert (flags.max_ram, flags.min_ram) == (expected["MaxRAMPercentage"], expected["MinRAMPercentage"])
    assert flags.initial_ram == expected["InitialRAMPercentage"]
    assert expected["MaxRAM_default_bytes"] == MAX_RAM_BYTES


@pytest.mark.parametrize("name", case("percent-override")["expected"])
def test_the_percentage_that_counts_depends_on_the_hosts_size(name):
    """G-percent-override: java -XX:MaxRAM=… -XX:+PrintFlagsFinal; MinRAMPercentage is no least heap, and 126 MiB is the floor."""
    flag, memory = name.removesuffix("_mib").split("_")
    percentages = HeapPercentages(**{"max_ram" if flag.startswith("max") else "min_ram": float(flag[3:])})

    found = max_heap_bytes(int(memory.removesuffix("m")) * MIB, percentages)

    assert found == case("percent-override")["expected"][name] * MIB


@pytest.mark.parametrize(
    ("memory_mib", "max_mib", "initial_mib"), [(100, 50, 8), (248, 124, 8), (250, 126, 8), (914, 230, 16), (1910, 478, 30)]
)  # fmt: skip
def test_default_heaps_are_what_java_prints(memory_mib, max_mib, initial_mib):
    """OpenJDK 17.0.15 with -XX:MaxRAM=… -XX:+PrintFlagsFinal: MaxHeapSize and InitialHeapSize."""
    assert max_heap_bytes(memory_mib * MIB) == max_mib * MIB
    assert initial_heap_bytes(memory_mib * MIB) == initial_mib * MIB


def test_corretto_rounds_its_percentages_up_to_two_mebibytes():
    """G-corretto-percent: 3,921 MiB of memory at 10, 50 and 100 %."""
    corretto = case("corretto-percent")

    found = {percent: max_heap_bytes(corretto["inputs"]["mib"] * MIB, HeapPercentages(max_ram=percent)) for percent in (10, 50, 100)}

    assert found == {int(percent): count for percent, count in corretto["inputs"]["bytes"].items()}


def test_largest_and_first_heap_of_one_host_agree():
    """G-12gb-host: 25 % and 1.5625 % of the same memory, each rounded up."""
    inputs, expected = case("12gb-host")["inputs"], case("12gb-host")["expected"]
    memory_bytes = inputs["maxh"] * 4

    assert max_heap_bytes(memory_bytes) == inputs["maxh"] == expected["max_mib"] * MIB
    assert initial_heap_bytes(memory_bytes) == inputs["init"] == expected["init_mib"] * MIB
    assert max_heap_bytes(memory_bytes) / initial_heap_bytes(memory_bytes) == pytest.approx(expected["ratio"], abs=0.01)


def test_serial_or_g1_follows_from_the_type():
    """G-server-class: OpenJDK os.cpp, two processors and 1,792 MiB."""
    expected = case("server-class")["expected"]
    types = load_catalogue("ap-northeast-2").types

    found = {name: default_collector(types[name].vcpus, types[name].usable_bytes) for name in expected if "." in name}

    assert found == {name: gc for name, gc in expected.items() if "." in name}
    assert (expected["min_processors"], expected["min_memory_mb"] * MIB) == (SERVER_CPUS, SERVER_MEMORY_BYTES)
    assert default_collector(1, 64 << 30) == expected["one_cpu_gc"]


def test_a_capped_heap_is_twice_what_lives():
    """A JVM of 551 MiB, 400 of them committed heap, 66 MiB alive: 151 beside the heap, and 132 of heap."""
    assert cap_bytes(jvm(66, 400, 1024)) == 132 * MIB
    assert held_when_capped_bytes(551 * MIB, jvm(66, 400, 1024)) == (151 + 132) * MIB


def test_without_a_collection_nobody_knows_what_lives():
    """No live set, no lever."""
    assert held_when_capped_bytes(551 * MIB, jvm(None, 400, 1024)) is None


def test_a_heap_that_was_not_touched_yet_hides_nothing_of_the_rest():
    """PSS 120 MiB of 512 committed: an empty JVM takes 31 beside its heap, and 20 of metaspace come on top."""
    assert overhead_bytes(120 * MIB, jvm(30, 512, 512, metaspace=20)) == 51 * MIB


def test_a_default_heap_follows_the_host():
    """4 GiB here: at most 1,024 MiB; on 1 GiB at most 256, of which 400 committed can't stay."""
    held = held_elsewhere_bytes(551 * MIB, jvm(66, 400, 1024), 4096 * MIB, 1024 * MIB)

    assert held == (151 + 256) * MIB


@pytest.mark.parametrize(
    ("measured", "there_mib", "why"),
    [
        (jvm(66, 400, 512), 1024, "-Xmx was given"),
        (jvm(200, 400, 1024), 1024, "twice the live set doesn't fit the smaller default"),
        (jvm(None, 400, 1024), 1024, "nobody knows what lives"),
    ],
)
def test_a_heap_that_would_not_do_there_counts_as_it_is(measured, there_mib, why):
    assert held_elsewhere_bytes(551 * MIB, measured, 4096 * MIB, there_mib * MIB) == 551 * MIB, why


@given(held=st.integers(1, 1 << 34), live=st.integers(0, 1 << 33), committed=st.integers(1, 1 << 34), there=st.integers(64 * MIB, 1 << 36))
def test_no_policy_ever_adds_memory(held, live, committed, there):
    """A lever that makes it worse would be none."""
    measured = JvmMemory("G1", 0, live, committed, max_heap_bytes(1 << 34))

    assert held_elsewhere_bytes(held, measured, 1 << 34, there) <= held
    assert (held_when_capped_bytes(held, measured) or 0) <= held
