"""What to buy is what brute force would buy, and costs what the simulator bills."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from small_purchases import answers, brute_force, small_case

from sizing.money.billing import MILL, Plan, Reservation, Use, bill_hour
from sizing.money.held import Holding
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


def test_a_year_of_nearly_tied_prices_is_exact_whatever_the_families_share():
    """Sizes a few millionths apart by the unit, in families that a plan couples; a bound over the reals is nothing that can be bought."""
    rng = np.random.default_rng(11)
    hours = rng.poisson([9, 14, 30, 5], (720, 4)).astype(float)
    prices = [Decimal("0.0065"), Decimal("0.0074"), Decimal("0.0048"), Decimal("0.0091")]
    items = [
        Item(f"{f}-{size}", f, Decimal(size), usd * size * (Decimal("0.6") + Decimal(int(rng.integers(-9, 9))).scaleb(-6)))
        for f, usd in enumerate(prices)
        for size in (1, 2, 4, 8)
    ]
    plan = Item("compute", None, Decimal("0.001"), Decimal("0.001"))
    asked = Problem(hours, np.ones(720), Decimal(720), prices, [*items, plan], [Decimal("0.7")] * 4, held_commit_usd=Decimal("0.012"))

    best = optimise(asked)

    assert best.gap_ratio <= 1e-9
    for item in range(len(best.counts)):
        for other in (-1, 1):
            counts = list(best.counts)
            counts[item] += other
            nearby = replace(asked, items=[], held_quarters=_units(asked, counts), held_commit_usd=Decimal("0.012") + counts[-1] * MILL)
            cost = optimise(nearby).cost_usd + 720 * float(sum(i.usd_per_h * n for i, n in zip(asked.items, counts, strict=True)))
            assert counts[item] < 0 or cost >= best.cost_usd * (1 - 1e-9)


def _units(problem: Problem, counts: list[int]) -> list[Decimal]:
    bought = [(item.family, item.quarters * n) for item, n in zip(problem.items, counts, strict=True)]
    return [sum((units for of, units in bought if of == family), Decimal(0)) for family in range(len(problem.on_demand_usd))]


def test_rates_of_a_plan_that_nobody_offers_or_holds_change_nothing():
    """Two sizes of one family, so that the masters are asked; one plan's rate is known, and no plan can be bought."""
    items = [Item("one", 0, Decimal(1), Decimal("0.0061")), Item("four", 0, Decimal(4), Decimal("0.0239"))]
    asked = Problem(np.array([[6.0], [5.0]]), np.array([60.0, 40.0]), Decimal(100), [Decimal("0.01")], items)

    rated = optimise(replace(asked, plan_ratios=[Decimal("0.7")]))

    assert rated.counts == optimise(asked).counts == (1, 1)
    assert rated.gap_ratio <= 1e-9


def test_what_is_not_shared_stays_in_its_account():
    """Billing User Guide, "Turning off shared reserved instances and savings plans discounts"."""
    usage = [Use(name, "t3.small", Decimal(1), Decimal("0.02"), {"compute": Decimal("0.014")}, account=name) for name in ("a", "b")]
    held = [Reservation(Holding("ri", "t3.small", 2, account="a"))]
    plans = [Plan("sp", "compute", Decimal("0.028"), account="b")]

    shared, own = bill_hour(usage, held, plans), bill_hour(usage, held, plans, shared=False)

    assert (shared.lost["sp"], own.lost["sp"]) == (Decimal("0.028"), Decimal("0.014"))
    assert (shared.reserved, own.reserved) == ({"a": 1, "b": 1}, {"a": 1, "b": 0})
    assert own.on_demand_usd == 0
