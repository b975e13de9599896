"""What the settings allow to be loaded, and what they refuse: before any request, in one sentence."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import SizeupError, validate
from loadtests import LoadSettings, Step, check_rates, check_target, feed, read_plan, steps_plan, write_plan
from loadtests.auth import expires_at, renew_in_s, token_sources
from loadtests.settings import Target, plan_auth, plan_scenarios
from loadtests.template import check_template, expand

EXAMPLE = {
    "target": {
        "staging": {
            "url": "https://example.run",
            "environment": "staging",
            "max_rate_per_s": 50,
            "hosts": {"frontend": "example.run", "api": "api.example.run"},
        }
    },
    "scenario": {
        "api": [
            {
                "request": "GET /boards?page={int:1..50}",
                "weight": 10,
                "check": {"status": 200, "contains": "boards"},
                "auth": "token",
            }
        ]
    },
    "auth": {"token": {"env": "MOCO_TOKEN"}},
}


def settings(**tables: Any) -> LoadSettings:
    return validate(LoadSettings, {**EXAMPLE, **tables}, "sizeup.toml")


def test_the_contracts_example_is_read():
    """docs/reference/settings.md."""
    read = settings()

    assert check_target("staging", read.target).max_rate_per_s == 50
    assert plan_scenarios(read.scenario) == [{
        "name": "GET /boards?page={int:1..50}", "host_class": "api", "request": "GET /boards?page={int:1..50}", "weight": 10,
        "check": {"status": 200, "contains": "boards"}, "auth": "token",
    }]  # fmt: skip
    assert plan_auth(read.auth) == ({"token": {"env": "MOCO_TOKEN"}}, {})


@pytest.mark.parametrize(("tables", "sentence"), [
    ({"target": {"staging": {"albs": "x"}}}, 'unknown key "albs"; did you mean "alb"'),
    ({"target": {"staging": {}}}, 'must name either "url" or "alb"'),
    ({"target": {"staging": {"url": "x", "alb": "y"}}}, "must start with http"),
    ({"target": {"staging": {"url": "http://x", "environment": "production"}}}, "staging"),
    ({"target": {"staging": {"url": "http://x", "max_rate_per_s": 0}}}, "greater than 0"),
    ({"scenario": {"api": [{"request": "/boards"}]}}, "must be a method and a path"),
    ({"scenario": {"api": [{"request": "GET /boards/{uuid}"}]}}, "{int:LOW..HIGH}"),
    ({"auth": {"token": {}}}, 'must name either "env" or "login"'),
])  # fmt: skip
def test_wrong_settings_are_one_sentence(tables: dict[str, Any], sentence: str):
    """CONTRIBUTING.md: what, where, mend."""
    with pytest.raises(SizeupError, match=r"^sizeup.toml, ") as refused:
        settings(**tables)

    assert sentence in str(refused.value)


def test_a_target_that_is_not_named_is_refused_with_the_nearest_name():
    """docs/design.md: nothing is loaded that the settings don't name."""
    with pytest.raises(SizeupError, match=r'"stagin".*nothing was sent.*did you mean "staging"'):
        check_target("stagin", settings().target)


def test_production_needs_a_cap_and_keeps_under_it():
    """docs/reference/settings.md: production-ack is rate-capped."""
    uncapped = Target(url="https://example.run", environment="production-ack")
    capped = Target(url="https://example.run", environment="production-ack", max_rate_per_s=5)

    with pytest.raises(SizeupError, match="under a cap only"):
        check_target("live", {"live": uncapped})
    check_rates("live", check_target("live", {"live": capped}), steps_plan([1, 5], 10))
    with pytest.raises(SizeupError, match="exceeds its cap of 5/s"):
        check_rates("live", capped, steps_plan([1, 5.1], 10))


@pytest.mark.parametrize("steps", [[], [Step("a", 0, 10)], [Step("a", 1, 0)], [Step("a", float("nan"), 1)]])
def test_a_plan_that_offers_nothing_is_refused(steps: list[Step]):
    """A run without load would look like an idle host."""
    with pytest.raises(SizeupError):
        check_rates("staging", settings().target["staging"], steps)


@given(low=st.integers(-50, 50), more=st.integers(0, 50), seed=st.integers(0, 999))
def test_a_template_draws_whole_numbers_within_its_bounds(low: int, more: int, seed: int):
    """Both ends included, as in `{int:1..50}`."""
    filled = expand(f"/boards/{{int:{low}..{low + more}}}?x=1", random.Random(seed))

    assert low <= int(filled.removeprefix("/boards/").removesuffix("?x=1")) <= low + more


@pytest.mark.parametrize("text", ["/{}", "/{int}", "/{int:5..1}", "/{int:a..b}", "/{name}"])
def test_a_template_that_cannot_be_filled_is_refused(text: str):
    """Said when the settings are read, not at the first arrival."""
    with pytest.raises(SizeupError, match="LOW"):
        check_template(text)


def test_a_plan_file_reads_as_it_was_written(tmp_path: Path):
    """The plan is the interface to the Locust process."""
    steps = steps_plan([5, 10.5], 3)
    write_plan(tmp_path / "plan.json", steps, 9, scenario="about", simple=[{"name": "x"}], auth={"token": {"env": "T"}})

    plan = read_plan(tmp_path / "plan.json")

    assert (list(plan.steps), plan.seed, plan.scenario, plan.seconds) == (steps, 9, "about", 6)
    assert [step.name for step in steps] == ["1: 5/s", "2: 10.5/s"]
    assert (plan.simple, plan.auth) == ([{"name": "x"}], {"token": {"env": "T"}})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"steps": [{"name": "a"}], "seed": 0}'])
def test_a_broken_plan_file_is_one_sentence(tmp_path: Path, text: str):
    """CONTRIBUTING.md."""
    (tmp_path / "plan.json").write_text(text)

    with pytest.raises(SizeupError, match=r"plan.json: not a plan file"):
        read_plan(tmp_path / "plan.json")


def test_a_feed_starts_again_after_its_last_row(tmp_path: Path):
    """docs/reference/python.md: people = feed("people.csv"), then next(people) at each start."""
    (tmp_path / "people.csv").write_text("email,password\na@x,1\nb@x,2\n")
    people = feed(tmp_path / "people.csv")

    assert [next(people)["email"] for _ in range(5)] == ["a@x", "b@x", "a@x", "b@x", "a@x"]


def test_a_token_is_renewed_before_it_ends():
    """RFC 7519: exp in Unix seconds; the header here is `{}`, the payload `{"exp": 1000}`."""
    from loadtests.auth import Token

    assert expires_at("e30.eyJleHAiOiAxMDAwfQ.x") == 1000
    assert expires_at("opaque") is None
    assert renew_in_s(Token("a", None, 1000.0), now=400.0) == 570
    assert renew_in_s(Token("a", None, 440.0), now=400.0) == 20
    assert renew_in_s(Token("a", None, 100.0), now=400.0) == 1
    assert renew_in_s(Token("a", None, None), now=400.0) is None


def test_tokens_come_from_the_environment_and_show_in_no_repr():
    """docs/design.md: secrets never reach a log."""
    sources = token_sources({"token": {"env": "MOCO_TOKEN"}}, {"MOCO_TOKEN": "hush"})

    assert sources["token"].value == "hush"
    assert "hush" not in repr(sources)
