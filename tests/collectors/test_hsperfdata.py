"""The JVM's performance file, on files that OpenJDK 17.0.15 wrote with 150 MiB alive after System.gc() at -Xmx512m."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.hsperfdata import Heap, NoHeap, parse_heap, read_counters, read_heap

DATA = Path(__file__).with_name("data")
KIB = 1024

# jcmd PID GC.heap_info of the same JVMs: used, committed ("total"), and the old generation's use where it tells it
JCMD = {
    "serial": (4086 + 154061, 116224 + 258048, 154061),
    "parallel": (5664 + 154061, 158720 + 258048, 154061),
    "g1": (155673, 476160, None),
    "z": (164 * KIB, 378 * KIB, None),
    "shenandoah": (150 * KIB, 301 * KIB, None),
}


def recorded(name: str) -> bytes:
    return (DATA / f"{name}.hsperfdata").read_bytes()


def parsed(name: str) -> Heap:
    heap = parse_heap(recorded(name))
    assert isinstance(heap, Heap)
    return heap


@pytest.mark.parametrize("name", JCMD)
def test_heap_in_use_and_committed_are_what_jcmd_says(name):
    """jcmd GC.heap_info; of Z and Shenandoah it prints whole MiB, and their heap moves on between the two readings."""
    used_kib, committed_kib, _ = JCMD[name]

    heap = parsed(name)

    assert heap.used_bytes == pytest.approx(used_kib * KIB, rel=0.015)
    assert heap.committed_bytes == pytest.approx(committed_kib * KIB, rel=0.01)


@pytest.mark.parametrize("gc", ["Serial", "Parallel", "G1", "Z", "Shenandoah"])
def test_the_collector_and_the_largest_heap_are_told(gc):
    """jcmd VM.flags: MaxHeapSize=536870912; Serial and Parallel round their generations, G1 pads its counters."""
    heap = parsed(gc.lower())

    assert heap.gc == gc
    assert heap.max_bytes == pytest.approx(512 * KIB * KIB, rel=0.001)


@pytest.mark.parametrize("name", ["serial", "parallel", "g1"])
def test_the_live_set_is_the_old_generation_after_a_collection(name):
    """The program keeps 600 arrays of 256 KiB."""
    assert parsed(name).live_bytes == pytest.approx(150 * KIB * KIB, rel=0.02)


@pytest.mark.parametrize("name", ["z", "shenandoah"])
def test_a_collector_that_never_stops_tells_no_live_set(name):
    """Their use counters move on between collections."""
    assert parsed(name).live_bytes is None


def test_time_in_collections_is_in_seconds():
    """jcmd PerfCounter.print of the serial JVM: 53,725,465 and 81,059,798 ticks at 1,000,000,000 a second."""
    assert parsed("serial").gc_s == pytest.approx(0.134785, abs=1e-6)


def test_metaspace_is_told():
    """jcmd PerfCounter.print of the serial JVM: sun.gc.metaspace.used=132688."""
    assert parsed("serial").metaspace_bytes == 132688


def test_before_the_first_collection_there_is_no_live_set():
    """Nothing has told the living from the dead yet: the recorded file with its counts of collections set to 0."""
    data = bytearray(recorded("serial"))
    for name, value in (("sun.gc.collector.0.invocations", 1), ("sun.gc.collector.1.invocations", 2)):
        assert dict(read_counters(data))[name] == value
        at = data.index(struct.pack("<q", value), data.find(name.encode() + b"\0"))
        data[at : at + 8] = bytes(8)

    heap = parse_heap(bytes(data))

    assert isinstance(heap, Heap)
    assert heap.live_bytes is None


def test_a_jvm_that_is_starting_has_a_reason_instead():
    """The file exists from the first moment, with 0 entries."""
    data = bytearray(recorded("g1")[:64])
    data[28:32] = bytes(4)

    assert parse_heap(bytes(data)) == NoHeap("the JVM is just starting")


@pytest.mark.parametrize("size", [0, 3, 31, 32, 33, 4096, 20000])
def test_a_torn_file_is_a_reason_never_a_crash(size):
    """A file may be read while it is being written."""
    found = parse_heap(recorded("g1")[:size])

    assert isinstance(found, NoHeap | Heap)


def test_a_file_of_another_kind_is_a_reason():
    assert parse_heap(b"\x7fELF" + bytes(4096)) == NoHeap("the performance file is torn")


@pytest.mark.skipif(sys.platform != "linux", reason="finding the file needs /proc")
def test_a_process_without_a_file_has_a_reason():
    """As with -XX:-UsePerfData."""
    found = read_heap(os.getpid())

    assert isinstance(found, NoHeap)
    assert "UsePerfData" in found.why


@pytest.mark.skipif(sys.platform != "linux", reason="finding the file needs /proc")
def test_the_file_is_found_by_pid():
    """HotSpot writes /tmp/hsperfdata_<user>/<pid>."""
    sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder = Path("/tmp/hsperfdata_sizeup-test")
    folder.mkdir(exist_ok=True)
    file = folder / str(sleeper.pid)
    file.write_bytes(recorded("serial"))

    try:
        found = read_heap(sleeper.pid)
    finally:
        file.unlink()
        folder.rmdir()
        sleeper.communicate(b"\n")

    assert found == parsed("serial")
