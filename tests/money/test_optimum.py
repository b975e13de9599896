"""What to buy is what brute force would buy, and costs what the simulator bills."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from small_purchases import answers, brute_force, small_case

from sizing.money.optimum import Item, Problem, optimise, quantile_counts
from sizing.money.problem import caps

GAP = Decimal("1e-9")
CASES = int(os.environ.get("SIZEUP_CASES", "300"))


@pytest.mark.parametrize("block", range(6))
def test_small_purchases_are_as_good_as_any(block):
    """Brute force over the same whole numbers; the bill re-added in Decimal is what was minimised. SIZEUP_CASES=2000 tries more."""
    bought = plans = 0
    for seed in range(block, CASES, 6):
        case = small_case(np.random.default_rng(seed))

        best = optimise(case.problem)

        billed = case.billed_usd(best.counts)
        counts, cost = brute_force(case.problem)
        assert abs(billed - Decimal(best.bound_usd)) <= GAP * billed, seed
        assert abs(billed - Decimal(best.cost_usd)) <= GAP * billed, seed
        assert abs(case.billed_usd(counts) - Decimal(cost)) <= GAP * billed, seed
        assert billed <= case.billed_usd(counts) * (1 + GAP), seed
        bought += any(best.counts)
        plans += any(n and "." not in size for n, size in zip(best.counts, case.sizes, strict=True))
    assert bought > CASES / 12
    assert plans > CASES / 100


def test_no_answer_of_a_tiny_case_is_billed_less():
    """The simulator alone, which shares nothing with the optimum, bills every answer there is."""
    cases = (small_case(np.random.default_rng(seed)) for seed in itertools.count(10_000))
    for case in itertools.islice((c for c in cases if 2 < len(answers(c.problem)) <= 60), 12):
        best = optimise(case.problem)

        every = [case.billed_usd([int(n) for n in counts]) for counts in answers(case.problem)]

        assert abs(min(every) - case.billed_usd(best.counts)) <= GAP * min(every)


def test_sizes_of_the_same_price_to_rounding_do_not_exclude_each_other():
    """$47, $93 and $186 a year for one, two and four units: two are the better four, and a year's hour is no finite decimal."""
    prices = {1: 47, 2: 93, 4: 186, 8: 373}

    most = caps([Item(f"ri-{q}", 0, Decimal(q), Decimal(usd) / 8760) for q, usd in prices.items()])

    assert most.tolist() == [1.0, np.inf, 0.0, 0.0]


def test_with_one_offer_the_count_is_a_quantile_of_the_demand():
    """The smallest count that the demand exceeds in no more than reserved/on-demand of the hours; the master agrees."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        hosts = rng.integers(0, 9, (200, 1)).astype(float)
        ratio = Decimal(str(round(rng.uniform(0.2, 0.95), 3)))
        offer = Item("ri", 0, Decimal(1), Decimal("0.01") * ratio)
        problem = Problem(hosts, np.ones(200), Decimal(200), [Decimal("0.01")], [offer])

        counts = quantile_counts(problem)

        assert counts[0] == next(n for n in range(10) if (hosts > n).mean() <= float(ratio))
        assert optimise(replace(problem, owed_most_usd=Decimal(99))).counts == counts


def test_nothing_is_bought_that_does_not_pay():
    """One host in use for half of the hours, reserved at 63 %."""
    items = [Item("ri", 0, Decimal(4), Decimal("0.0252"))]
    problem = Problem(np.array([[4.0], [0.0]]), np.array([50.0, 50.0]), Decimal(100), [Decimal("0.01")], items)

    best = optimise(problem)

    assert best.counts == (0,)
    assert best.cost_usd == best.on_demand_usd


def test_no_more_is_owed_than_the_policy_allows():
    """[policy] worst_loss_usd: what is owed is what is lost where everything stops at once."""
    items = [Item("ri", 0, Decimal(1), Decimal("0.005"))]

    best = optimise(Problem(np.full((3, 1), 8.0), np.full(3, 100.0), Decimal(300), [Decimal("0.01")], items, owed_most_usd=Decimal("7.6")))

    assert best.counts == (5,)
