"""CPU credits against what AWS publishes, and what must hold of any bucket."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.model.credits import draw_down, run_bucket, surplus_charged

minutes = st.floats(0, 120)
Z = np.zeros(())


def test_idle_t2_micro_earns_six_credits_an_hour():
    """EC2 User Guide, table of credits an hour: t2.micro 6, cap 144."""
    after = run_bucket(np.zeros((1, 1)), np.array(6.0), np.array(144.0), Z, Z, Z)

    assert after.balance == pytest.approx(6)


def test_idle_t2_micro_holds_174_credits_after_a_day():
    """EC2 User Guide, standard mode concepts: 144 earned and 30 launch credits beside them."""
    after = run_bucket(np.zeros((24, 1)), np.array(6.0), np.array(144.0), Z, Z, np.array(30.0))

    assert after.balance + after.launch == pytest.approx(174)


def test_t3_small_unlimited_at_40_per_cent_for_a_month_is_charged_as_published():
    """EC2 User Guide, unlimited mode concepts: 40 % of 2 vCPUs for 30 days: 16,704 credits are charged ($13.92 at $0.05 a vCPU-hour)."""
    hours = 30 * 24
    spent = np.full((hours, 1), 0.4 * 2 * 60)

    bucket = run_bucket(spent, np.array(24.0), np.array(576.0), np.array(-576.0), Z, Z)

    assert bucket.short == pytest.approx(hours * 24 - 576)
    assert bucket.short * 0.05 / 60 == pytest.approx(13.92, abs=0.005)


def test_an_instance_that_has_run_for_long_pays_every_surplus_credit():
    """The day's worth that a new instance may owe is owed once, not each week."""
    spent = np.full((168, 1), 48.0)

    assert surplus_charged(spent, np.array(24.0), np.array(576.0)) == pytest.approx(168 * 24)


@given(low=minutes, more=minutes)
def test_more_work_never_leaves_more_credits(low, more):
    steps = np.array([[low], [low]])
    less = run_bucket(steps, np.array(12.0), np.array(288.0), Z, np.array(100.0), Z)
    busier = run_bucket(steps + more, np.array(12.0), np.array(288.0), Z, np.array(100.0), Z)

    assert busier.balance <= less.balance
    assert busier.short >= less.short


@given(spent=st.lists(minutes, min_size=1, max_size=48), earned=st.floats(0, 60))
def test_every_credit_is_earned_spent_kept_or_short(spent, earned):
    """Without a cap nothing is lost: start + earned − spent + short = balance."""
    steps = np.array(spent)[:, None]
    bucket = run_bucket(steps, np.array(earned), np.array(np.inf), Z, np.array(50.0), Z)

    assert bucket.balance == pytest.approx(50 + earned * len(spent) - sum(spent) + bucket.short, abs=1e-6)


@given(spent=st.lists(minutes, min_size=1, max_size=48), earned=st.floats(1, 60))
def test_a_full_standard_bucket_is_short_exactly_where_the_draw_down_passes_its_cap(spent, earned):
    steps, cap = np.array(spent)[:, None], 144.0
    deepest = draw_down(steps, np.array(earned))
    bucket = run_bucket(steps, np.array(earned), np.array(cap), Z, np.array(cap), Z)

    # From full, both say the same up to the first time the balance is empty.
    assert (deepest > cap + 1e-9) == (bucket.short > 1e-9)
