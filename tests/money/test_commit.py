"""What to reserve, if anything: the answer for hosts in Seoul, and what makes it wait or say no."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from catalogue import load_catalogue
from evidence import Reason
from sizing.money import Holding, Usage
from sizing.money.commit import commitments
from sizing.money.commit_answer import CommitQuestion
from sizing.money.commit_words import sentences
from sizing.money.demand import Future, demand_units, staying_h
from sizing.money.held_plans import HeldPlan
from sizing.money.offers import Given, Need, Offer, offers

SEOUL = load_catalogue("ap-northeast-2")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ONE_SMALL = [Future(1.0, [Usage("api", "t3.small", 1)])]
ONE_YEAR = CommitQuestion(years=(1,), payments=("all_upfront",), leave_ratio_per_month=0.0)


def told(futures=ONE_SMALL, question=ONE_YEAR, **more):
    return commitments(futures, SEOUL, now=NOW, question=question, **more)


def test_a_host_that_surely_stays_is_reserved():
    """t3.small in Seoul: $128 at once against 8,760 hours at 0.026, so $99.76 saved, paid in month 6.74."""
    found = told()

    best = found.best
    assert (found.action, [(p.offer.type, p.count) for p in best.purchases]) == ("buy", [("t3.small", 1)])
    assert best.saved_usd == Decimal("0.026") * 8760 - 128
    assert best.upfront_usd == 128
    assert round(best.break_even_month, 2) == 6.74
    assert round(best.wait_usd(14), 2) == Decimal("3.83")
    assert (best.coverage_ratio, best.utilisation_ratio) == (1.0, 1.0)


def test_the_simulated_bill_is_what_no_purchase_can_go_below():
    """|billed − bound| ≤ 1e-9 of it."""
    best = told([Future(0.7, [Usage("api", "t3.micro", 3)]), Future(0.3, [Usage("api", "t3.small", 1)])], CommitQuestion()).best

    assert abs(best.cost_usd - best.bound_usd) <= Decimal("1e-9") * best.cost_usd


@pytest.mark.parametrize(("leave", "action"), [(0.08, "buy"), (0.11, "none")])
def test_it_pays_only_where_one_stays_long_enough(leave, action):
    """measured: E[min(time until useless, term)] / term > r/p; all upfront here is 0.562, so the edge lies between."""
    assert told(question=replace(ONE_YEAR, leave_ratio_per_month=leave)).action == action
    assert (staying_h(leave, 0, 8760) / 8760 > 128 / (0.026 * 8760)) is (action == "buy")


def test_hours_stay_as_long_as_nobody_leaves():
    """Ours: the sum of the chance of still being there, month by month."""
    assert staying_h(0.0, 0, 100) == 100
    assert staying_h(0.5, 0, 1460) == pytest.approx(staying_h(0.5, 0, 730) * 1.5)


def test_evidence_that_does_not_hold_makes_it_wait():
    """A synthetic, too short or memory-blind run never says buy."""
    weak = Reason("synthetic", False, 1.0, 0.0, "flag", "load your own stack: sizeup load staging")

    found = told(reasons=[weak])

    assert found.action == "wait"
    assert sentences(found)[0].startswith("wait: 1 tests of the evidence don't hold (synthetic)")
    assert sentences(found)[-1] == "next: load your own stack: sizeup load staging"


def test_nothing_known_is_unknown():
    """The answer may be that nothing can be said."""
    found = told([])

    assert found.action == "unknown"
    assert found.as_json()["plan"]["cost_usd"]["saved"] is None


def test_what_is_held_is_not_bought_again():
    """A regional t3.small covers two t3.micro; the second of two t3.small is open."""
    held = [Holding("h", "t3.small", 1)]

    assert told([Future(1.0, [Usage("api", "t3.micro", 2)])], held=held).best.purchases == []
    assert sum(p.count for p in told([Future(1.0, [Usage("api", "t3.small", 2)])], held=held).best.purchases) == 1


def test_what_is_held_until_summer_is_bought_again_then():
    """A purchase that would pay only after the held one has ended waits for it."""
    found = told(held=[Holding("h", "t3.small", 1, ends_at=date(2027, 6, 1))])

    assert found.action == "wait"
    assert found.as_json()["plan"]["purchases"][0]["at"] == "2027-06-01T00:00:00Z"
    assert "until 2027-06-01" in sentences(found)[0]


def test_missing_rates_are_named_with_the_discount_that_would_pay():
    """No invented price. The embedded list has no savings-plan rates of Seoul."""
    found = told(question=replace(ONE_YEAR, leave_ratio_per_month=0.03)).as_json()["missing"]

    assert {row["what"].partition(" ")[0] for row in found} == {"Compute", "EC2"}
    assert {row["command"] for row in found} == {"sizeup prices refresh --region ap-northeast-2"}
    assert found[0]["break_even_discount_ratio"] == pytest.approx(1 - staying_h(0.03, 0, 8760) / 8760, abs=1e-4)


def test_a_stated_plan_is_bought_to_the_mill():
    """--offers: a Compute rate of half the price on demand beats every reservation; 0.013 an hour covers a t3.small."""
    rate = Given(Decimal(0), Decimal("0.013"), "given")

    best = told(question=replace(ONE_YEAR, payments=("no_upfront",)), given={("sp_compute", "t3.small", 1, "no_upfront"): rate}).best

    assert [(p.offer.kind, p.commit_usd_per_h) for p in best.purchases] == [("sp_compute", Decimal("0.013"))]
    assert best.movable_ratio("another family") == best.movable_ratio("Fargate") == 1


def test_a_policy_bounds_what_may_be_owed():
    """[policy] worst_loss_usd: three hosts would pay, two may be owed."""
    many = [Future(1.0, [Usage("api", "t3.small", 3)])]

    best = told(many, replace(ONE_YEAR, owed_most_usd=Decimal(260))).best

    assert best.owed_usd == 256


def test_moving_to_another_family_costs_a_standard_reservation_and_no_convertible():
    """EC2 User Guide: a convertible is exchanged for others that are worth no less."""
    standard = told().regret
    convertible = next(c for c in told().others if c.purchases and c.purchases[0].offer.kind == "ri_convertible")

    assert [(case.event, case.to) for case in standard] == [
        ("resize", "t3.micro"), ("stop", None), ("migrate", "another family"), ("migrate", "Fargate")
    ]  # fmt: skip
    assert standard[3].loss_usd == standard[2].loss_usd == standard[1].loss_usd > standard[0].loss_usd
    assert convertible.loss_usd(3, convertible.movable_ratio("another family")) == 0
    assert convertible.loss_usd(3, convertible.movable_ratio("Fargate")) > 0


def test_demand_is_cut_where_a_reservation_ends():
    """Two spans, the first covered."""
    demand = demand_units(ONE_SMALL, SEOUL, [Holding("h", "t3.small", 1, ends_at=date(2027, 6, 1))], NOW, Decimal(8760), 0.0)

    assert demand.quarters.tolist() == [[0.0], [4.0]]
    assert np.isclose(demand.weights.sum(), 8760)


@pytest.mark.parametrize("name", sorted(offers()))
def test_every_kind_of_offer_answers_for_a_need(name):
    """CONTRIBUTING.md: the third test meets every offer that anyone adds: rows have a source, gaps a command."""
    offer: Offer = offers()[name]
    need = Need("ec2", "t3", "t3.small", Decimal(8), Decimal("0.026"))

    found = offer.price(SEOUL, need, [(1, "all_upfront"), (3, "no_upfront")], {})

    assert all(row.source and row.kind == name and 0 < row.ratio <= 1 for row in found.rows)
    assert all(gap.command.startswith("sizeup prices refresh") for gap in found.missing)
    assert found.rows or found.missing or name == "sp_database"


def test_database_plans_cover_no_t_classes():
    """Savings Plans User Guide: Database Savings Plans don't cover T classes."""
    asked = [(1, "no_upfront")]

    assert offers()["sp_database"].price(SEOUL, Need("rds", "db.t4g", "db.t4g.small", Decimal(4), Decimal("0.05")), asked, {}).missing == ()
    assert offers()["sp_database"].price(SEOUL, Need("rds", "db.r6g", "db.r6g.large", Decimal(16), Decimal("0.2")), asked, {}).missing


DATABASE = Usage("moco", "db.t4g.small", 1, platform="postgres")
NODE = Usage("tokens", "cache.t3.micro", 1, platform="redis")


def test_a_database_and_a_cache_are_reserved_beside_a_host():
    """Seoul, a year at once: t3.small $128, cache.t3.micro $138, and two db.t4g.micro PostgreSQL at $162 for one small at $325."""
    best = told([Future(1.0, [*ONE_SMALL[0].usage, DATABASE, NODE])]).best

    bought = {p.offer.service: p.count * p.offer.upfront_usd for p in best.purchases}
    assert bought == {"ec2": 128, "rds": 324, "elasticache": 138}
    assert best.on_demand_usd == (Decimal("0.026") + Decimal("0.051") + Decimal("0.025")) * 8760
    assert abs(best.cost_usd - best.bound_usd) <= Decimal("1e-9") * best.cost_usd


def test_a_database_in_two_zones_counts_twice_and_a_held_one_carries_half_of_it():
    """RDS User Guide: a Multi-AZ instance has twice the units of one in a single zone."""
    both = [Future(1.0, [replace(DATABASE, count=2)])]
    held = [Holding("h", "db.t4g.small", 1, platform="postgres")]

    alone, beside = told(both).best, told(both, held=held).best

    assert sum(p.offer.quarters * p.count for p in alone.purchases) == 8
    assert sum(p.offer.quarters * p.count for p in beside.purchases) == 4
    assert sum(p.offer.quarters * p.count for p in told(both, held=[replace(held[0], platform="mysql")]).best.purchases) == 8


def test_a_database_plan_is_offered_for_one_year_without_upfront_only():
    """AWS, Database Savings Plans: one year, no upfront; not for T classes."""
    futures = [Future(1.0, [Usage("moco", "db.m6g.large", 1, platform="postgres")])]

    found = told(futures, CommitQuestion(leave_ratio_per_month=0.0))

    assert [m.what.split(",")[1:3] for m in found.missing if m.what.startswith("Database")] == [[" 1 year", " no upfront"]]


def test_a_stated_database_plan_is_bought_for_the_database_alone():
    """The Compute plan covers hosts, the Database plan databases; each has its own commitment."""
    futures = [Future(1.0, [*ONE_SMALL[0].usage, Usage("moco", "db.m6g.large", 1, platform="postgres")])]
    given = {
        ("sp_compute", "t3.small", 1, "no_upfront"): Given(Decimal(0), Decimal("0.013"), "given"),
        ("sp_database", "db.m6g.large", 1, "no_upfront"): Given(Decimal(0), Decimal("0.05"), "given"),
    }

    best = told(futures, replace(ONE_YEAR, payments=("no_upfront",)), given=given).best

    assert {p.offer.kind: p.commit_usd_per_h for p in best.purchases} == {"sp_compute": Decimal("0.013"), "sp_database": Decimal("0.05")}
    assert abs(best.cost_usd - best.bound_usd) <= Decimal("1e-9") * best.cost_usd


def test_a_compute_plan_covers_every_family_at_its_own_rate():
    """Two families, one commitment; the bill is the one that was minimised."""
    futures = [Future(1.0, [*ONE_SMALL[0].usage, Usage("worker", "m5.large", 1)])]
    given = {
        ("sp_compute", "t3.small", 1, "no_upfront"): Given(Decimal(0), Decimal("0.013"), "given"),
        ("sp_compute", "m5.large", 1, "no_upfront"): Given(Decimal(0), Decimal("0.05"), "given"),
    }

    best = told(futures, replace(ONE_YEAR, payments=("no_upfront",)), given=given).best

    assert [p.commit_usd_per_h for p in best.purchases] == [Decimal("0.063")]
    assert best.cost_usd == Decimal("0.063") * 8760
    assert abs(best.cost_usd - best.bound_usd) <= Decimal("1e-9") * best.cost_usd


def test_a_held_plan_covers_until_it_ends():
    """Two hosts, a held plan that covers one of them for the first half of the year; without a rate it is said and left out."""
    two = [Future(1.0, [Usage("api", "t3.small", 2)])]
    held = [HeldPlan("sp-1", "compute", Decimal("0.015"), ends_at=NOW + timedelta(hours=4380))]
    given = {("sp_compute", "t3.small", 1, "no_upfront"): Given(Decimal(0), Decimal("0.015"), "given")}

    best = told(two, replace(ONE_YEAR, payments=("no_upfront",)), given=given, plans=held).best
    unknown = told(two, plans=held)

    assert best.on_demand_usd == Decimal("0.026") * (4380 + 2 * 4380)
    assert abs(best.cost_usd - best.bound_usd) <= Decimal("1e-9") * best.cost_usd
    assert unknown.best.on_demand_usd == Decimal("0.026") * 2 * 8760
    assert any("held whose rates nobody knows" in line for line in sentences(unknown))
    assert "  $0.015 an hour of a compute plan is held until 2027-05-26." in sentences(unknown)


def test_a_convertible_is_exchanged_for_arm64_ones_that_are_worth_no_less():
    """EC2 User Guide: never of less value. In Seoul without upfront four t3.nano are 0.018 an hour, as are five t4g.nano."""
    found = told(question=replace(ONE_YEAR, payments=("no_upfront",)))

    (line,) = [line for line in sentences(found, detail=True) if "is exchanged for" in line]

    assert line.startswith("  4 × t3.nano convertible is exchanged for 5 × t4g.nano")
    assert line.endswith("$0 a year more")


def test_a_queued_purchase_counts_from_its_start():
    """DescribeReservedInstances, state queued: what begins next month is not bought again."""
    queued = [Holding("h", "t3.small", 1, starts_at=NOW + timedelta(days=30))]

    found = told(held=queued)

    assert (found.action, list(found.best.purchases)) == ("none", [])
    assert found.best.on_demand_usd == Decimal("0.026") * 24 * 30


def test_where_no_offer_has_a_price_nobody_knows_whether_one_pays():
    """A type with a price on demand and none reserved: unknown, with the discount from which buying would pay, and how to read prices."""
    name = next(n for n in SEOUL.types if SEOUL.on_demand(n) and not SEOUL.reserved(n, term_years=1, payment="no_upfront"))

    found = told([Future(1.0, [Usage("api", name, 1)])], replace(ONE_YEAR, leave_ratio_per_month=0.03))

    assert found.action == "unknown"
    assert found.as_json()["plan"]["cost_usd"]["on_demand"] is not None
    assert any("a discount from 16% for 1 year would pay; sizeup prices refresh" in line for line in sentences(found))


def test_a_purchase_ends_with_the_lines_that_a_person_could_run():
    """AWS CLI reference and hashicorp/aws, for each service; where it waits there are none."""
    lines = sentences(told([Future(1.0, [*ONE_SMALL[0].usage, DATABASE, NODE])]))

    own = lines[next(n for n, line in enumerate(lines) if line.startswith("next: sizeup gate --buy t3.small:1:1y:all-upfront")) + 1 :]
    assert own[0] == "# yours to run; sizeup buys nothing"
    for words in ("aws ec2 purchase-reserved-instances-offering", "aws rds purchase-reserved-db-instances-offering",
                  "aws elasticache purchase-reserved-cache-nodes-offering",
                  'resource "aws_rds_reserved_instance" "db_t4g_micro"'):  # fmt: skip
        assert sum(line.startswith(words) for line in own) == 1, words
    weak = Reason("synthetic", False, 1.0, 0.0, "flag", "load your own stack: sizeup load staging")
    assert told(reasons=[weak]).as_json()["plan"]["purchases"][0]["order"]["purchase"] is None


def test_an_unknown_names_the_place_that_it_speaks_of():
    """An offer without a price stands in `missing`, not among the offers; a price of two unknown parts is null twice."""
    found = told(question=CommitQuestion(years=(1,), payments=("partial_upfront",), leave_ratio_per_month=0.0))

    document = found.as_json()
    for path in found.unknowns:
        table, _, rest = path.partition("[")
        if table == "missing":
            assert document["missing"][int(rest.rstrip("]"))]["what"] in found.unknowns[path].why
        elif table == "offers":
            row, _, key = rest.partition("].")
            assert document["offers"][int(row)][key] is None
    assert any(path.startswith("offers[") for path in found.unknowns)
