"""Collections whose counts are odd: an answer or a sentence, always JSON, never a trace."""

from __future__ import annotations

import json

import numpy as np
import pytest
from odd_collections import DAY_S, END, PERIOD_S, constant, daily, make_collection, topology

from sizeup.main import run

EVERY_S = np.arange(END.timestamp() - 14 * DAY_S, END.timestamp(), PERIOD_S)
WHOLE = {
    "requests": daily(300), "api_requests": daily(200), "api_5xx": constant(1), "api_time": constant(0.05), "cpu": daily(12),
    "credits": constant(576),
}  # fmt: skip


def but(*left_out, **changed):
    """The whole collection with some series changed or left out."""
    return {name: series for name, series in (WHOLE | changed).items() if name not in left_out}


def both(series):
    return {"requests": series, "api_requests": series}


def last(values):
    """A few points at the end of the span."""
    return EVERY_S[-len(values) :], np.array(values, dtype=float)


def spike(at_s):
    return np.where(at_s == at_s[100], 1e6, 0.0)


def gaps(series, share):
    kept = EVERY_S[np.random.default_rng(0).random(len(EVERY_S)) < share]
    return kept, series(kept)


ODD = {
    "whole": WHOLE,
    "constant": but(**both(constant(300)), cpu=constant(12)),
    "constant CPU": but(cpu=constant(12)),
    "constant requests": but(**both(constant(300))),
    "CPU that falls as requests rise": but(cpu=lambda at_s: 100 - daily(12)(at_s)),
    "nothing": {},
    "CPU alone": {"cpu": daily(12)},
    "constant CPU alone": {"cpu": constant(3)},
    "requests alone": both(daily(300)),
    "response time alone": {"api_time": constant(0.1)},
    "failures alone": {"api_5xx": constant(5)},
    "no CPU": but("cpu"),
    "no response time": but("api_time"),
    "no counts of the group": but("api_requests"),
    "no counts of the balancer": but("requests"),
    "zeros": {name: constant(0) for name in WHOLE},
    "no request": but(**both(constant(0))),
    "no CPU taken": but(cpu=constant(0)),
    "no time taken": but(api_time=constant(0)),
    "every request failed": but(api_5xx=daily(200)),
    "more failures than requests": but(api_5xx=daily(400)),
    "a billion failures": but(api_5xx=constant(1e9)),
    "failures without a request": but(api_requests=constant(0), api_5xx=constant(5)),
    "a group above its balancer": but(api_requests=daily(900)),
    "one point": {name: last([5]) for name in WHOLE},
    "three points": {name: last([5, 5, 5]) for name in WHOLE},
    "one period with requests": but(**both(last([10]))),
    "one period with CPU": but(cpu=last([10])),
    "half the periods": {name: gaps(series, 0.5) for name, series in WHOLE.items()},
    "few periods": {name: gaps(series, 0.02) for name, series in WHOLE.items()},
    "CPU before any request": but(cpu=(EVERY_S - 14 * DAY_S, np.full(len(EVERY_S), 5.0))),
    "a million at once": but(**both(spike)),
    "1e15 requests": but(**both(daily(1e15))),
    "1e-9 requests": but(**both(daily(1e-9))),
    "200 % CPU": but(cpu=constant(200)),
    "1e300 % CPU": but(cpu=constant(1e300)),
    "years of response time": but(api_time=constant(1e9)),
    "NaN": but(cpu=constant(np.nan), **both(constant(np.nan))),
    "infinite": but(cpu=constant(np.inf), requests=constant(np.inf)),
    "below zero": but(cpu=constant(-5), **both(constant(-5))),
}


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    """Ask of a run; return the exit code, the document and what was said, the first of JSON's own words alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIZEUP_CACHE", str(tmp_path / "cache"))

    def call(*args):
        code = run([*map(str, args)])
        said = capsys.readouterr()
        return code, json.loads(said.out, parse_constant=pytest.fail) if "--json" in args and said.out else None, said

    return call


@pytest.mark.parametrize("series", ODD.values(), ids=ODD)
def test_an_odd_collection_is_answered(ask, tmp_path, series):
    path = make_collection(tmp_path, series)

    answers = {
        "recommend": ask("recommend", path, "--candidates", "t3.micro,t3.small", "--json"),
        "gate": ask("gate", path, "--buy", "t3.small:1:1y:all-upfront", "--json"),
        "check": ask("runs", "check", path, "--json"),
    }

    assert {name: code for name, (code, _, _) in answers.items()} == {"recommend": 0, "gate": 1, "check": 0}
    assert not [entry for entry in answers["recommend"][1]["unknowns"] if "no number" in entry["why"]]


@pytest.mark.parametrize("name", ["constant", "more failures than requests", "no CPU taken", "one period with requests"])
def test_the_report_and_the_text_of_an_odd_collection_hold_no_nan(ask, tmp_path, name):
    path = make_collection(tmp_path, ODD[name])

    reported, told = ask("report", path, "-o", tmp_path / "report.html"), ask("recommend", path)

    assert (reported[0], told[0]) == (0, 0)
    assert "nan" not in told[2].out.lower().replace("nano", "").split()
    assert "NaN" not in (tmp_path / "report.html").read_text()


def test_more_failures_than_requests_is_said_and_counts_as_all(ask, tmp_path):
    """A request is counted when it comes and its failure when it ends, so that a span's edge may hold more of these."""
    _, found, _ = ask("recommend", make_collection(tmp_path, ODD["more failures than requests"]), "--candidates", "t3.small", "--json")

    assert [w["message"] for w in found["warnings"] if w["code"] == "errors_over_requests"]
    (errors,) = [k for k in found["hosts"][0]["candidates"][0]["constraints"] if k["constraint"] == "errors"]
    assert errors["need"] > 0.9


def test_at_one_rate_requests_are_not_free(ask, tmp_path):
    """Constant traffic and CPU: nothing tells requests from background, so a request's cost is anything up to all of it."""
    _, found, _ = ask("recommend", make_collection(tmp_path, ODD["constant"]), "--candidates", "t3.small", "--json")

    cost = found["hosts"][0]["demand"][0]["cpu_s"]
    all_of_it = 0.12 * 2 * PERIOD_S / 300
    assert 0.7 * all_of_it < cost["hi"] < 1.1 * all_of_it


def test_types_that_differ_within_a_class_are_no_present_type(ask, tmp_path):
    stack = topology()
    stack["instances"].append({**stack["instances"][0], "id": "i-0b", "type": "t3.micro"})

    code, found, _ = ask("recommend", make_collection(tmp_path, WHOLE, stack=stack), "--json")

    assert (code, found["hosts"][0]["present"]) == (0, None)
