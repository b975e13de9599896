"""A JVM follows its host: another heap, another collector, in the same worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_service import MIB, WORLDS, Service, made_model, made_world

from sizing import decide, judge
from sizing.decide.levers import levers
from sizing.jvm import JvmMemory, max_heap_bytes
from sizing.types import MemoryPart

CALM = Service(demand_s=0.001, deploy="blue_green")


def jvm_world(seoul, held_mib, jvm, here="t3.small", types=("t3.micro", "t3.small", "t3.medium")):
    part = MemoryPart("jvm", np.full(WORLDS, held_mib * float(MIB)), "pss", "made", True, jvm)
    world = made_world(seoul, CALM, replace(made_model(CALM), memory=[part]), types)
    return replace(world, measured_on=seoul.types[here])


def needs(world, constraint="memory_steady"):
    return {v.candidate.type: v.bound(constraint).need / MIB for v in judge(world, confidence=0.9)}


def default_heap(seoul, here, committed_mib, live_mib, gc="G1"):
    return JvmMemory(gc, 0, live_mib * MIB, committed_mib * MIB, max_heap_bytes(seoul.types[here].usable_bytes), 60 * MIB)


def test_a_heap_left_to_the_default_ends_at_the_smaller_hosts_quarter(seoul):
    """Full at a t3.small's 478 MiB, it ends at 230 on a t3.micro; G1's own 2 % of the heap go too, since that is Serial there."""
    found = needs(jvm_world(seoul, 700, default_heap(seoul, "t3.small", 478, 60)))

    assert found["t3.small"] == pytest.approx(700)
    assert found["t3.micro"] == pytest.approx(700 - (478 - 230) - 478 * 0.02, abs=2)
    assert found["t3.medium"] == pytest.approx(700)


def test_a_second_copy_shrinks_with_the_first(seoul):
    world = jvm_world(seoul, 700, default_heap(seoul, "t3.small", 478, 60))

    assert needs(world, "memory_deploy")["t3.micro"] == pytest.approx(2 * needs(world)["t3.micro"])


def test_a_heap_that_was_set_by_hand_is_the_same_everywhere(seoul):
    found = needs(jvm_world(seoul, 700, JvmMemory("Serial", 0, 60 * MIB, 478 * MIB, 600 * MIB, 60 * MIB)))

    assert found["t3.micro"] == found["t3.small"] == pytest.approx(700)


def test_a_heap_that_lives_in_full_cannot_shrink(seoul):
    """With 200 MiB alive a heap of 230 would collect without end: it counts as it was."""
    found = needs(jvm_world(seoul, 700, default_heap(seoul, "t3.small", 478, 200, gc="Serial")))

    assert found["t3.micro"] == pytest.approx(700)


def test_the_serial_collector_is_a_lever_where_g1s_own_tips_the_scale(seoul):
    """Two copies of 956 MiB are 2 over a t3.small's 1,910 MiB; without G1's 9 they fit."""
    world = jvm_world(seoul, 956, JvmMemory("G1", 0, 300 * MIB, 450 * MIB, 450 * MIB, 60 * MIB))
    found = decide("api", "blue_green", judge(world, confidence=0.9), None)

    told = {lever.code: lever for lever in levers(world, found, lambda w: judge(w, confidence=0.9))}

    assert found.recommended.candidate.type == "t3.medium"
    assert told["serial_collector"].type == "t3.small"
    assert told["stop_first"].saves_monthly_usd > 0


def test_paying_for_credits_is_a_lever_with_what_it_saves(seoul):
    """A t3.micro that draws more than it earns: unlimited costs surplus, the next that earns enough costs more."""
    world = made_world(seoul, Service(demand_s=0.03, peak_per_s=10, memory_mib=200), types=("t3.micro", "t3.xlarge"))
    found = decide("api", "blue_green", judge(world, confidence=0.9), None)

    lever = next(lv for lv in levers(world, found, lambda w: judge(w, confidence=0.9)) if lv.code == "unlimited")

    without = next(v for v in found.verdicts if v.fits and v.candidate.credit_mode == "standard")
    assert lever.type == "t3.micro"
    assert lever.saves_monthly_usd == without.monthly_usd - found.recommended.monthly_usd > 0
