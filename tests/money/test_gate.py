"""The gate: what waiting costs, what being wrong costs, and which evidence a purchase still lacks."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import load_catalogue, size_units
from evidence import SizeupError
from sizeup.main import run
from sizing.money import GateEvidence, GateSettings, Holding, Usage, parse_buy, purchase_price
from sizing.money.buy import parse_usd
from sizing.money.gate import gate

SEOUL = load_catalogue("ap-northeast-2")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CODES = [
    "no_run", "synthetic", "too_short", "too_few_days", "no_peak", "no_deployment", "memory_unmeasured", "interval_wide", "unstable",
    "above_floor", "lever_pending", "free_tier_running", "price_stale",
]  # fmt: skip
ENOUGH = GateEvidence(
    runs=2, synthetic=False, valid_minutes=40, history_days=20, highest_valid_per_s=25, peak_per_s=20, deployments=1, deploy="blue_green",
    memory_ratio=1.0, interval_ratio=0.2, instability_ratio=0.05, units_used=Decimal(2), lever_saving_monthly_usd=Decimal(0),
    free_months_left=0.0,
)  # fmt: skip
LACKS = {
    "no_run": {"runs": 0}, "synthetic": {"synthetic": True}, "too_short": {"valid_minutes": 29.9}, "too_few_days": {"history_days": 13},
    "no_peak": {"highest_valid_per_s": 19.9}, "no_deployment": {"deployments": 0}, "memory_unmeasured": {"memory_ratio": 0.94},
    "interval_wide": {"interval_ratio": 0.31}, "unstable": {"instability_ratio": 0.11}, "above_floor": {"units_used": Decimal("0.5")},
    "lever_pending": {"lever_saving_monthly_usd": Decimal("4.20")}, "free_tier_running": {"free_months_left": 3.0},
}  # fmt: skip


def judged(buy="t3.small:1:1y:all-upfront", evidence=None, held=(), usage=(), at=NOW, settings=None, **price):
    asked = parse_buy(buy)
    found = purchase_price(SEOUL, asked, **price)
    return gate(
        asked, found, settings=settings or GateSettings(), catalogue=SEOUL, generated_at=at, evidence=evidence, held=held, usage=usage
    )


def with_(**changes):
    return GateEvidence(**{name: getattr(ENOUGH, name) for name in GateEvidence.__slots__} | changes)


def test_with_nothing_measured_the_first_line_names_both_costs():
    """docs/reference/json.md, gate: t3.small in Seoul, $3.83 for a fortnight and $64 of $128."""
    verdict = judged()

    assert verdict.sentences()[0] == (
        "no: nothing was measured. Waiting 14 days on demand costs $3.83 more than the reservation would; "
        "being wrong by one size costs $64 of the $128."
    )
    assert verdict.as_json()["wait"] == {"days": 14, "cost_usd": "3.83"}
    assert verdict.as_json()["wrong"] == {"type": "t3.micro", "usd": "64.00"}
    assert verdict.as_json()["wrong_usd"] == "64.00"


def test_the_purchase_is_said_back_with_its_price_and_source():
    """docs/reference/json.md, gate: buy{...}."""
    body = judged().as_json()["buy"]

    assert body.pop("source").startswith("ku891005/aws-price-board")
    assert body == {
        "type": "t3.small", "count": 1, "term_s": 31_536_000, "payment": "all_upfront", "class": "standard", "region": "ap-northeast-2",
        "upfront_usd": "128.00", "hourly_usd": "0", "effective_hourly_usd": "0.014612", "on_demand_hourly_usd": "0.026",
    }  # fmt: skip


def test_every_code_is_listed_in_order_and_what_needs_a_run_is_null_without_one():
    """docs/reference/json.md, gate: every code is listed each time."""
    reasons = judged().as_json()["reasons"]

    assert [r["code"] for r in reasons] == CODES
    assert {r["code"]: r["ok"] for r in reasons if r["ok"] is not None} == {"no_run": False, "price_stale": True}
    assert all(set(r) == {"code", "ok", "value", "need", "unit", "lift"} and r["lift"] for r in reasons)


def test_enough_evidence_passes():
    """docs/reference: pass = all true."""
    verdict = judged(evidence=ENOUGH)

    assert verdict.as_json()["pass"] is True
    assert verdict.sentences()[0].startswith("yes: all 13 tests")


@pytest.mark.parametrize("code", LACKS)
def test_each_lack_refuses_by_its_own_code_alone_and_its_measurement_lifts_it(code):
    """docs/reference/json.md, table of codes: value against need."""
    lacking = judged(evidence=with_(**LACKS[code]))

    refused = [r.code for r in lacking.reasons if r.ok is not True]

    assert refused == [code]
    assert lacking.passes is False
    assert judged(evidence=ENOUGH).passes is True


@pytest.mark.parametrize("code", [code for code in LACKS if code != "no_run"])
def test_what_is_measured_lifts_exactly_one_refusal(code):
    """Everything is lacking; supplying one measurement takes that one code off the list and leaves the others."""
    lacks = {name: value for lack in LACKS.values() for name, value in lack.items()} | {"runs": 2}
    supplied = lacks | {name: getattr(ENOUGH, name) for name in LACKS[code]}

    before, after = (judged(evidence=with_(**fields)) for fields in (lacks, supplied))

    assert {r.code for r in before.reasons if not r.ok} - {r.code for r in after.reasons if not r.ok} == {code}
    assert after.passes is False


@pytest.mark.parametrize("code", CODES)
def test_every_lift_names_a_command_that_exists(code, capsys):
    """docs/reference/commands.md: its command and each of its options, also where nothing is known."""
    for verdict in (judged(), judged(evidence=with_(**LACKS.get(code, {})))):
        lift = next(r.lift for r in verdict.reasons if r.code == code)
        for name, options in re.findall(r"sizeup ([a-z]+)((?: --[a-z-]+)?)", lift):
            done = run([name, "--help"])

            assert (done, options.strip() in capsys.readouterr().out) == (0, True), lift


def test_where_too_much_is_bought_the_lift_is_the_purchase_that_is_used():
    """above_floor: three of one unit are asked for and two are used; what the lift names passes."""
    verdict = judged("t3.small:3:1y:all-upfront", evidence=ENOUGH)

    lift = next(r.lift for r in verdict.reasons if r.code == "above_floor")

    assert lift.endswith("sizeup gate --buy t3.small:2:1y:all-upfront")
    assert judged(lift.rpartition(" ")[2], evidence=ENOUGH).passes is True


def test_the_rates_of_a_lift_reach_the_peak():
    """no_peak: the last rate is the forecast peak, rounded up."""
    verdict = judged(evidence=with_(highest_valid_per_s=10.0, peak_per_s=37.2))

    lift = next(r.lift for r in verdict.reasons if r.code == "no_peak")

    assert lift.endswith("--rates 9,19,38")


def test_a_yes_ends_with_the_lines_that_a_person_could_run():
    """AWS CLI reference: purchase-reserved-instances-offering takes the id that describe shows; a no has neither."""
    verdict, refused = judged(evidence=ENOUGH), judged()

    lines = verdict.sentences()

    own = lines[lines.index("# yours to run; sizeup buys nothing") :]
    assert own[1].startswith("OFFERING=$(aws ec2 describe-reserved-instances-offerings --region ap-northeast-2 --instance-type t3.small")
    assert own[2].endswith("--reserved-instances-offering-id $OFFERING --instance-count 1")
    assert lines[-1] == "}"
    assert refused.as_json()["order"]["purchase"] is refused.as_json()["order"]["terraform"] is None
    assert "describe-reserved-instances-offerings" in refused.as_json()["order"]["describe"]


@pytest.mark.parametrize("field", [name for name in GateEvidence.__slots__ if name not in ("runs", "deploy")])
def test_what_is_not_known_counts_as_no(field):
    """docs/reference: null = can't be judged, and counts as no."""
    verdict = judged(evidence=with_(**{field: None}))

    assert verdict.passes is False
    assert [r.ok for r in verdict.reasons if r.ok is not True] == [None]


def test_no_deployment_is_needed_where_none_is_made():
    """docs/reference: true if deploy = "none"."""
    assert judged(evidence=with_(deployments=0, deploy="none")).passes is True


@pytest.mark.parametrize(("days", "ok", "warned"), [(90, True, False), (91, True, True), (365, True, True), (366, False, True)])
def test_an_old_price_warns_and_then_refuses(days, ok, warned):
    """docs/reference: over 90 days a warning, over 365 a reason, counted at generated_at."""
    at = datetime(2026, 8, 18, 12, tzinfo=UTC) + timedelta(days=days)

    verdict = judged(evidence=ENOUGH, at=at)

    assert verdict.reasons[-1].ok is ok
    assert bool(verdict.warnings) is warned


def test_a_given_price_replaces_the_catalogues_and_is_never_stale():
    """docs/reference: --upfront and --hourly are per instance, default 0; they lift price_stale."""
    verdict = judged("t3.small:3:1y:all-upfront", at=NOW + timedelta(days=4000), upfront_usd=Decimal("140.16"))

    assert verdict.price.effective_hourly_usd == Decimal("0.016")
    assert verdict.wait_usd == 3 * 24 * 14 * Decimal("0.010")
    assert verdict.total_usd == 3 * Decimal("140.16")
    assert (verdict.reasons[-1].ok, verdict.reasons[-1].value) == (True, 0)


def test_a_given_hourly_price_alone_has_no_upfront():
    """docs/reference: default 0."""
    verdict = judged("t3.small:1:3y:no-upfront", hourly_usd=Decimal("0.0109"))

    assert (verdict.price.upfront_usd, verdict.price.effective_hourly_usd) == (Decimal(0), Decimal("0.0109"))


@pytest.mark.parametrize("buy", ["t3a.2xlarge:1:1y:all-upfront", "m7g.large:1:3y:partial-upfront:convertible"])
def test_a_price_that_is_not_published_is_asked_for_and_never_estimated(buy):
    """docs/reference: exit 2, naming the flags."""
    with pytest.raises(SizeupError, match=r"no price for .* in ap-northeast-2; give it with --upfront USD and --hourly USD"):
        judged(buy)

    assert judged(buy, upfront_usd=Decimal(100)).price.given


def test_what_only_the_sum_of_is_published_stays_null_and_says_so():
    """The list gives the effective price of partial upfront, not its parts."""
    verdict = judged("t3.small:1:1y:partial-upfront")

    assert (verdict.as_json()["buy"]["upfront_usd"], verdict.as_json()["buy"]["hourly_usd"]) == (None, None)
    assert [entry["path"] for entry in verdict.unknown_entries()] == ["buy.upfront_usd", "buy.hourly_usd"]
    assert verdict.as_json()["buy"]["effective_hourly_usd"] == "0.015034"


def test_where_there_is_no_smaller_size_all_of_it_is_at_stake():
    """docs/reference: the whole sum where there is no smaller size."""
    verdict = judged("t3.nano:1:1y:all-upfront")

    assert verdict.wrong_type is None
    assert verdict.wrong_usd == verdict.total_usd
    assert "being wrong costs all of the $" in verdict.sentences()[0]


def test_what_is_held_counts_with_what_is_bought():
    """docs/reference/json.md, above_floor: units bought and held against the units used in 95 % of hours."""
    held = [
        Holding("ri-1", "t3.small", 2),
        Holding("ri-2", "t4g.small", 5),
        Holding("ri-3", "t3.large", 1, ends_at=NOW - timedelta(days=1)),
    ]

    verdict = judged(evidence=ENOUGH, held=held)

    floor = next(r for r in verdict.reasons if r.code == "above_floor")
    assert (floor.value, floor.need, floor.ok) == (3.0, 2.0, False)


def test_a_held_reservation_that_covers_the_recommended_hosts_is_said():
    """One regional t3.small is one unit, which covers two t3.micro."""
    verdict = judged(held=[Holding("ri-1", "t3.small", 1)], usage=[Usage("api", "t3.micro", 2)])

    assert verdict.as_json()["held"][0]["covers"] == [{"class": "api", "type": "t3.micro", "count": 2}]
    assert any("covers 2 × t3.micro of api" in line for line in verdict.sentences())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("t3.small:1:1y", "has 3 parts; write it as TYPE:COUNT:TERM:PAYMENT"),
        ("t3.small:1:1y:all-upfront:standard:x", "has 6 parts"),
        ("t3.small::1y:all-upfront", "part 2 is empty; write it as TYPE"),
        ("", "has 1 part; write it as TYPE"),
        ("t3small:1:1y:all-upfront", '"t3small" is no instance type'),
        ("t3.small:0:1y:all-upfront", "must be a whole number from 1 to 1000000"),
        ("t3.small:1" + "0" * 30 + ":1y:all-upfront", "must be a whole number from 1 to 1000000"),
        ("t3.small:two:1y:all-upfront", "must be a whole number from 1 to 1000000"),
        ("t3.small:1:2y:all-upfront", 'unknown TERM "2y"; write one of 1y, 3y.'),
        ("t3.small:1:1Y:all-upfront", 'unknown TERM "1Y"; did you mean "1y"?'),
        ("t3.small:1:1y:all-upfornt", 'did you mean "all-upfront"'),
        ("t3.small:1:1y:all-upfront:convertable", 'did you mean "convertible"'),
        ("t3.smal:1:1y:all-upfront", 'did you mean "t3.small"'),
    ],
)
def test_a_malformed_purchase_is_refused_with_the_mend(text, told):
    """CONTRIBUTING.md: what, where, mend."""
    with pytest.raises(SizeupError) as refused:
        purchase_price(SEOUL, parse_buy(text))

    assert told in str(refused.value)


@pytest.mark.parametrize("text", ["abc", "-1", "NaN", "Infinity", "1e400", ""])
def test_an_amount_that_is_none_is_refused(text):
    """Ours."""
    with pytest.raises(SizeupError, match="not an amount of dollars"):
        parse_usd("--upfront", text)

    assert parse_usd("--upfront", "$128") == Decimal(128)


@given(st.sampled_from(["synthetic", "too_short", "memory_unmeasured"]), st.data())
def test_a_synthetic_too_short_or_memory_blind_run_never_passes(code, data):
    """Whatever else was measured, and however well."""
    good = {
        "runs": st.integers(1, 9), "valid_minutes": st.floats(30, 1e4), "history_days": st.floats(14, 1e3),
        "deployments": st.integers(1, 9), "memory_ratio": st.floats(0.95, 1), "interval_ratio": st.floats(0, 0.3),
        "instability_ratio": st.floats(0, 0.1), "units_used": st.integers(1, 99).map(Decimal), "highest_valid_per_s": st.floats(20, 1e4),
    }  # fmt: skip
    weak = {"synthetic": st.just(True), "too_short": st.floats(0, 29.99), "memory_unmeasured": st.floats(0, 0.9499)}
    names = {"synthetic": "synthetic", "too_short": "valid_minutes", "memory_unmeasured": "memory_ratio"}
    seen = {name: data.draw(values) for name, values in good.items()} | {names[code]: data.draw(weak[code])}

    verdict = judged(evidence=with_(**seen))

    assert verdict.passes is False
    assert [r.code for r in verdict.reasons if r.ok is not True] == [code]


@given(
    st.sampled_from(["t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.large", "m5.large", "t4g.small"]),
    st.integers(1, 50), st.sampled_from([1, 3]), st.decimals(0, 5000, places=2), st.decimals(0, 1, places=4), st.integers(1, 60),
)  # fmt: skip
def test_the_two_costs_follow_the_contracts_formulas_to_the_cent(name, count, years, upfront, hourly, days):
    """docs/reference/json.md, gate: wait.cost_usd and wrong_usd, with no float drift."""
    verdict = judged(f"{name}:{count}:{years}y:no-upfront", settings=GateSettings(days=days), upfront_usd=upfront, hourly_usd=hourly)

    effective = upfront / (8760 * years) + hourly
    smaller = SEOUL.next_smaller(name)
    kept = 0 if smaller is None else size_units(smaller.name) / size_units(name)
    assert verdict.wait_usd == pytest.approx(count * 24 * days * (SEOUL.on_demand(name).usd - effective), abs=Decimal("1e-15"))
    assert verdict.wrong_usd == count * (upfront + hourly * 8760 * years) * (1 - Decimal(kept))
    assert verdict.as_json()["wrong_usd"] == str(verdict.wrong_usd.quantize(Decimal("0.01"), "ROUND_HALF_UP"))
