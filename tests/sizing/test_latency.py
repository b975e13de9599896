"""Queueing formulas against published values, and the properties they must have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.model.latency import SATURATED_S, erlang_c, fit_wait, response_quantile_s


@pytest.mark.parametrize(("servers", "load", "expected"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9)])
def test_erlang_c_equals_the_textbook(servers, load, expected):
    """Gross & Harris, chapter 2: C(1, ½) = ½, C(2, 1) = 1/3, C(3, 2) = 4/9."""
    assert float(erlang_c(np.array(float(servers)), np.array(load))) == pytest.approx(expected, rel=1e-9)


def test_a_single_server_has_the_exponential_response_of_m_m_1():
    """Kleinrock I, 3.5: the response time of M/M/1 is exponential with mean S/(1−ρ)."""
    p95 = response_quantile_s(0.95, np.array(0.04), np.array(0.6), np.array(1.0))

    assert float(p95) == pytest.approx(0.04 / 0.4 * -math.log(0.05), rel=1e-9)


def test_load_beyond_the_cpus_has_no_finite_response():
    assert float(response_quantile_s(0.95, np.array(0.04), np.array(1.2), np.array(1.0))) == SATURATED_S


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.09), st.floats(1, 8))
def test_more_load_never_answers_sooner(load_ratio, more, servers):
    at = np.array([load_ratio, load_ratio + more]) * servers
    slow = response_quantile_s(0.95, np.array(0.01), at, np.array(servers))

    assert slow[1] >= slow[0] - 1e-12


def test_what_the_queue_explains_is_no_wait():
    """Response times drawn from M/M/1 itself leave no wait but noise."""
    rng = np.random.default_rng(3)
    response = rng.exponential(0.01 / 0.5, 20_000)

    wait = fit_wait(0.95, response, np.full(20_000, 50.0), np.full(512, 0.01), 1.0, rng)

    assert np.median(wait) < 0.003
