"""The scenarios by themselves, without Locust: what they send, in which shares, and that the data set stays as it was."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from evidence import SizeupError
from loadtests.mix import OWN_BOARDS_MAX, Ctx, scenario_mix, scenarios, simple_scenario

SERVER_SIDE_CALLS = {"page_boards": 1, "page_board": 2}
"""What the frontend asks of the API to render: the stack's HTTP surface, staging/."""


@dataclass
class Told:
    """An answer as the API gives it."""

    status: int
    content: bytes
    ok: bool = True

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Listed:
    """A session that keeps a list of what it was asked, and which boards such an API would hold."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    boards: set[int] = field(default_factory=set)
    last: int = 100

    def request(self, method: str, path: str, **options: Any) -> Told:
        self.sent.append((method, path))
        if (method, path) == ("POST", "/boards"):
            self.last += 1
            self.boards.add(self.last)
        elif method == "DELETE":
            self.boards.remove(int(path.split("/")[2]))
        elif method in ("PUT", "POST") and path.startswith("/boards/"):
            assert int(path.split("/")[2]) in self.boards, "changes only what it wrote itself"
        tokens = {"accessToken": "a", "refreshToken": "r"} if path.startswith("/auth") else {}
        return Told(options.get("expect") or 200, json.dumps({"id": self.last, **tokens}).encode())

    def get(self, path: str, **options: Any) -> Told:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Told:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Told:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Told:
        return self.request("DELETE", path, **options)

    def on(self, _: str) -> Listed:
        return self


def visitors(seed: int = 0) -> Ctx:
    return Ctx(random.Random(seed), boards=[1, 2, 3], pages=4, tokens={"token": "t"}, account={"email": "e"})


def test_the_default_mix_sums_to_100_per_cent():
    """A weight is a share in per cent."""
    assert sum(item.weight for item in scenarios().values()) == 100


def test_a_request_from_outside_costs_about_0_7_of_the_api_in_all():
    """Direct calls and those of server-side rendering: docs/reference/definitions.md, arrivals of a host class."""
    calls = {name: SERVER_SIDE_CALLS.get(name, 0) + (item.host_class == "api") for name, item in scenarios().items()}

    assert sum(item.weight / 100 * calls[name] for name, item in scenarios().items()) == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("name", [name for name, item in scenarios().items() if item.weight > 0])
def test_each_scenario_of_the_mix_sends_one_request_an_arrival(name: str):
    """So that a step's rate is requests a second."""
    session, ctx = Listed(), visitors()

    for arrival in range(1, 3 * OWN_BOARDS_MAX):
        scenarios()[name].run(session, ctx)
        assert len(session.sent) == arrival


def test_a_long_load_leaves_few_boards_behind():
    """The data set must not grow with the load: 20,000 arrivals of the mix."""
    session, ctx, rng = Listed(), visitors(), random.Random(1)
    mix = scenario_mix((), None)

    for item in rng.choices(list(mix.values()), [item.weight for item in mix.values()], k=20_000):
        item.run(session, ctx)

    assert len(session.boards) <= OWN_BOARDS_MAX
    counted = Counter(method for method, _ in session.sent)
    assert counted["DELETE"] > 100
    assert len(ctx.refresh_tokens) <= 50


def test_the_journey_is_called_by_name_alone():
    """It sends many requests an arrival."""
    session = Listed()

    scenarios()["journey"].run(session, visitors())

    assert "journey" not in scenario_mix((), None)
    assert list(scenario_mix((), "journey")) == ["journey"]
    assert len(session.sent) > 5


def test_an_unknown_scenario_is_refused_with_those_there_are():
    """CONTRIBUTING.md."""
    with pytest.raises(SizeupError, match=r'"jurney".*journey'):
        scenario_mix((), "jurney")


def test_a_visitor_without_a_token_or_account_is_served_what_needs_none():
    """A target without a login is loaded all the same."""
    bare = Ctx(random.Random(0))

    served = {name for name, item in scenarios().items() if bare.serves(item)}

    assert {"home", "board_list"} <= served
    assert served.isdisjoint({"board_write", "login", "refresh", "image_upload", "journey"})


def test_a_scenario_in_the_settings_becomes_one_without_python():
    """docs/reference/settings.md, [[scenario.api]]."""
    session = Listed()
    item = simple_scenario({"request": "GET /boards?page={int:2..2}", "host_class": "api", "weight": 10, "check": {"status": 200}})

    item.run(session, visitors())

    assert session.sent == [("GET", "/boards?page=2")]
    assert (item.host_class, item.weight) == ("api", 10)


def test_scenarios_and_the_rooms_face_import_neither_locust_nor_gevent():
    """CONTRIBUTING.md: Locust patches the whole process, so only a locustfile may import it."""
    script = (
        "import sys, loadtests; from loadtests import Step, start_locust, run_locust, steps_plan, check_target, probe_rates, feed, check\n"
        "from loadtests.mix import scenarios; assert scenarios()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'locust', 'gevent', 'geventhttpclient', 'polars', 'boto3'}))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
