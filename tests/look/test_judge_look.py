"""What a host would need on each type: yes, with which lever, no, and never a guess."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue
from sizing.jvm import JvmMemory
from sizing.look import GroupMemory, HostMemory, judge_look, merge_small, page_cache_floor

MIB = 1 << 20
TYPES = load_catalogue("ap-northeast-2").types
T2_MICRO = TYPES["t2.micro"]  # 957 MiB of memory as its kernel counts it


def group(name: str, mib: int, *, color: str | None = None, jvm: JvmMemory | None = None) -> GroupMemory:
    return GroupMemory(name, color, 1, mib * MIB, (mib + 20) * MIB, jvm)


def java(mib: int, *, live: int | None, committed: int, color: str | None = None) -> GroupMemory:
    """A JVM with -Xmx512m, so that no default applies."""
    return group("java app.jar", mib, color=color, jvm=JvmMemory("G1", 0, None if live is None else live * MIB, committed * MIB, 512 * MIB))


def host(*groups: GroupMemory, system: int = 100, floor: int = 40) -> HostMemory:
    return HostMemory("api", 60.0, 4096 * MIB, 2048 * MIB, system * MIB, floor * MIB, groups)


def judged(memory: HostMemory, **options):
    (fit,) = judge_look(memory, [T2_MICRO], {"t2.micro": Decimal("10.51")}, **options).types
    return fit


def test_the_need_is_groups_kernel_and_page_cache():
    """docs/reference/definitions.md, memory need: 200 + 50 + 100 + 40."""
    fit = judged(host(group("node", 200), group("nginx", 50)))

    assert fit.need_bytes == 390 * MIB
    assert (fit.fits, fit.lever) == ("yes", None)


def test_without_a_jvm_or_a_colour_a_deployment_is_unknown():
    """Never guessed."""
    result = judge_look(host(group("node", 200)), [T2_MICRO], {})

    assert (result.doubled, result.types[0].need_deploy_bytes, result.types[0].fits_deploy) == (None, None, "unknown")
    assert [entry["path"] for entry in result.unknowns] == ["doubled", "types[0].monthly_usd"]


def test_a_deployment_runs_the_largest_jvm_twice():
    """150 + 2 × 300 + 140."""
    small = replace(java(150, live=20, committed=60), group="java tool.jar")

    fit = judged(host(small, java(300, live=60, committed=128)))

    assert fit.need_deploy_bytes == (150 + 2 * 300 + 140) * MIB
    assert fit.fits_deploy == "yes"


def test_a_coloured_group_counts_once_at_rest_however_many_copies_run():
    """Watched in the middle of a deployment: blue 200, green 180, nginx 10."""
    result = judge_look(host(group("api", 200, color="blue"), group("api", 180, color="green"), group("nginx", 10)), [T2_MICRO], {})

    assert result.doubled == "api"
    assert (result.types[0].need_bytes, result.types[0].need_deploy_bytes) == ((200 + 10 + 140) * MIB, (400 + 10 + 140) * MIB)


def test_a_capped_heap_lets_two_copies_fit():
    """Twice 450 and 140 exceed 957; with 60 alive of 300 committed each holds 150 + 120."""
    fit = judged(host(java(450, live=60, committed=300)))

    assert (fit.fits, fit.fits_deploy, fit.lever) == ("yes", "with_lever", "cap_heap")
    assert fit.need_with_lever_bytes == (2 * 270 + 140) * MIB


def test_where_no_cap_helps_the_old_copy_is_stopped_first():
    """Two of 450 don't fit, all of it alive; one does."""
    fit = judged(host(java(450, live=400, committed=420)))

    assert (fit.fits, fit.fits_deploy, fit.lever, fit.need_with_lever_bytes) == ("yes", "with_lever", "stop_first", fit.need_bytes)


def test_a_cap_that_helps_at_rest_alone_says_so():
    """900 and 140 exceed 957; capped 900 − 500 + 200 = 600 fits once, not twice."""
    fit = judged(host(java(900, live=100, committed=500)))

    assert (fit.fits, fit.fits_deploy, fit.lever) == ("with_lever", "no", "cap_heap")
    assert fit.need_with_lever_bytes == (600 + 140) * MIB


def test_what_no_lever_lets_fit_does_not_fit():
    fit = judged(host(java(2000, live=1500, committed=1600)))

    assert (fit.fits, fit.fits_deploy, fit.lever, fit.need_with_lever_bytes) == ("no", "no", None, None)


def test_where_deployments_stop_first_two_copies_never_run():
    """deploy = "stop_first" in the settings."""
    fit = judged(host(java(450, live=400, committed=420)), two_copies=False)

    assert (fit.fits_deploy, fit.need_deploy_bytes) == ("yes", fit.need_bytes)


def test_unreadable_pss_counts_as_rss_and_is_warned_of():
    """docs/reference: pss_bytes null, RSS counted instead, warning pss_unreadable."""
    unread = replace(group("node", 200), pss_bytes=None)

    result = judge_look(host(unread), [T2_MICRO], {})

    assert result.types[0].need_bytes == (220 + 140) * MIB
    assert [(w.code, "node" in w.message) for w in result.warnings] == [("pss_unreadable", True)]


def test_types_stand_cheapest_first_and_those_without_a_price_last():
    monthly = {"t3.small": Decimal(19), "t2.micro": Decimal(10), "t3.micro": None}

    result = judge_look(host(group("node", 200)), [TYPES[name] for name in monthly], monthly)

    assert [fit.type for fit in result.types] == ["t2.micro", "t3.small", "t3.micro"]


def test_groups_under_one_in_a_hundred_stand_together_but_never_a_jvm():
    """docs/reference: under 1 % of the sum together as `other`."""
    groups = [group("java app.jar", 1, jvm=JvmMemory("Serial", 0, None, 0, 0)), group("node", 990), group("cron", 4), group("sshd", 5)]

    merged = merge_small(groups)

    assert [(g.group, g.pids, g.pss_bytes) for g in merged] == [("node", 1, 990 * MIB), ("java app.jar", 1, MIB), ("other", 2, 9 * MIB)]


@pytest.mark.parametrize(("active_mib", "floor_mib"), [(0, 24), (40, 40), (900, 64)])
def test_the_page_cache_floor_is_what_is_in_use_within_bounds(active_mib, floor_mib):
    assert page_cache_floor(active_mib * MIB) == floor_mib * MIB


@given(mib=st.integers(1, 4000), more=st.integers(0, 4000), live=st.integers(0, 2000), committed=st.integers(0, 4000))
def test_more_memory_held_never_fits_better(mib, more, live, committed):
    order = ["yes", "with_lever", "no"]

    less, greater = judged(host(java(mib, live=live, committed=committed))), judged(host(java(mib + more, live=live, committed=committed)))

    assert order.index(greater.fits) >= order.index(less.fits)
    assert order.index(greater.fits_deploy) >= order.index(less.fits_deploy)
