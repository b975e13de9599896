"""The demo's steps out of a short probe: rising, and never past what the host's core may carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import SizeupError
from loadtests import probe_rates
from loadtests.probe import CEILING_CORES, RATE_MAX_PER_S

demands = st.floats(0, 1.0)


@given(cpu_s=demands)
def test_three_rates_rise_and_keep_the_core_under_its_ceiling(cpu_s: float):
    """The utilisation law: rate × demand is the core's busy share."""
    rates = probe_rates(cpu_s)

    assert len(rates) == 3
    assert 0 < rates[0] < rates[1] < rates[2] <= RATE_MAX_PER_S
    assert rates[2] * cpu_s <= CEILING_CORES


@given(cpu_s=demands)
def test_the_highest_rate_wastes_little_of_what_was_allowed(cpu_s: float):
    """Rounding down to two digits takes a tenth at most."""
    highest = probe_rates(cpu_s)[2]

    assert highest > 0.9 * min(RATE_MAX_PER_S, CEILING_CORES / cpu_s if cpu_s else RATE_MAX_PER_S)


@given(cpu_s=demands, more=st.floats(0, 0.05))
def test_a_dearer_request_never_raises_a_rate(cpu_s: float, more: float):
    """Monotone in the demand."""
    assert all(dear <= cheap for dear, cheap in zip(probe_rates(cpu_s + more), probe_rates(cpu_s), strict=True))


def test_a_light_service_is_stepped_to_the_maximum():
    """2 ms a request: 60/s is 0.12 of a core."""
    assert probe_rates(0.002) == [20, 40, 60]


def test_a_heavy_service_is_stepped_to_its_ceiling():
    """28 ms a request, 0.03 of a core without load: 0.52 / 0.028 = 18.57/s, and its thirds."""
    assert probe_rates(0.028, background_cores=0.03) == [6.1, 12, 18]


def test_a_host_too_busy_for_any_step_is_said_so():
    """0.5 of a core without load leaves 0.05: 0.4/s at 125 ms."""
    with pytest.raises(SizeupError, match="name rates with --rates"):
        probe_rates(0.125, background_cores=0.5)
