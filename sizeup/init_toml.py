"""The words of the settings file that `sizeup init` writes: every key with a comment, and a mark where only a person knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MARK = "YOU:"
"""Stands in a comment wherever a person has to look."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the account says.

    Attributes
    ----------
    tag : str or None
        The tag that names the environment, "key=value".
    only_https : bool
        Whether the load balancer has no other listener, whose certificate then names the service.
    hosts : mapping
        Host class -> Host header; None where no rule names one: the load balancer's `dns_name` then reaches its default rule.
    classes, places : mapping
        Host class -> target group, and -> the addresses of its hosts inside the network.
    reservations : sequence or None
        What the account holds; None where it couldn't be asked.
    """

    region: str
    timezone: str
    target: str
    environment: str
    load_balancer: str
    tag: str | None
    only_https: bool
    hosts: Mapping[str, str | None]
    dns_name: str
    classes: Mapping[str, str]
    places: Mapping[str, Sequence[str]]
    reservations: Sequence[Mapping[str, Any]] | None
    free_tier: str
    free_tier_ends: str | None


def settings_toml(facts: Facts) -> str:
    """Write the settings file; it is valid as it stands."""
    parts = [
        _HEAD, _project(facts), _target(facts), *(_host_class(facts, name) for name in facts.classes), _SCENARIOS, _TRAFFIC,
        _OBJECTIVES, _POLICY, _account(facts), _held(facts),
    ]  # fmt: skip
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _project(facts: Facts) -> str:
    return f"""
[project]
region = {_text(facts.region)}  # where the load balancer was found
timezone = {_text(facts.timezone)}  # whose clock the days follow; {MARK} this machine's, your users' may be another
"""


def _target(facts: Facts) -> str:
    why = f"tagged {facts.tag}" if facts.tag else "no tag says it"
    if facts.environment == "production":
        stands = f'# environment = "production-ack"  # {MARK} {why}: only read, unless you uncomment this by hand'
    else:
        stands = f"environment = {_text(facts.environment)}  # staging, prelaunch or production-ack; {MARK} {why}; is it?"
    address = "only HTTPS answers and its certificate names the service: put its address here, in place of alb" if facts.only_https else (
        "or the service's own address, in place of alb"
    )  # fmt: skip
    return f"""
[target.{facts.target}]  # only what stands here is ever loaded
alb = {_text(facts.load_balancer)}  # loaded by its DNS name
# url = "https://…"  # {MARK} {address}
{stands}
max_rate_per_s = 20  # no plan goes above it; {MARK} what it may be asked for
{_hosts(facts)}
"""


def _hosts(facts: Facts) -> str:
    """Write the Host headers that the rules name; a class without one is reached by the load balancer's own name."""
    told = ", ".join(f"{name} = {_text(host or facts.dns_name)}" for name, host in facts.hosts.items())
    missing = " and ".join(name for name, host in facts.hosts.items() if not host)
    asked = f"; {MARK} no rule names {missing}'s, the load balancer's own reaches the default rule" if missing else ""
    return f"hosts = {{ {told} }}  # Host header of each class{asked}"


def _host_class(facts: Facts, name: str) -> str:
    group, places = facts.classes[name], [place for place in facts.places.get(name, ()) if place]
    return f"""
[class.{_key(name)}]  # one host class, told apart at the load balancer
target_group = {_text(group)}
# instances = ["i-…"]  # or by its instances
# address = "ec2-user@{places[0] if places else "10.0.1.5"}"  # {MARK} how ssh reaches its host, for the agent (sizeup agent install)
deploy = "blue_green"  # blue_green: two copies run at a deployment; stop_first, none; {MARK} which
# groups = [ {{ name = "jvm", match = "java .*\\\\.jar", color = "--server.port=(\\\\d+)" }} ]  # {MARK} color tells copies apart
"""


def _account(facts: Facts) -> str:
    ends = f"ends_at = {_text(facts.free_tier_ends)}  # as the account says" if facts.free_tier_ends else (
        f'# ends_at = "2027-01-31"  # {MARK} where it runs'
    )  # fmt: skip
    asked = "as the account says" if facts.free_tier != "unknown" else f"{MARK} the account doesn't say"
    return f"""
[account]
free_tier = {_text(facts.free_tier)}  # legacy (before 2025-07-15), credits, none, unknown; {asked}
{ends}

[pricing]
discount_ratio = 0.0  # what the account pays below the list; {MARK} 0.05 is 5 % off
# currency = "KRW"  # shown beside dollars, with its rate and the rate's day
# currency_per_usd = "1400"
# currency_as_of = "2026-11-24"
"""


def _held(facts: Facts) -> str:
    told = [f"#   {r['count']} × {r['type']} ({r['service']}, {r['scope']}, until {r['ends_at'][:10]})" for r in facts.reservations or ()]
    known = "# The account couldn't be asked what it holds." if facts.reservations is None else "\n".join(
        ["# The account says what it holds, and a run keeps it:", *told] if told else ["# The account holds no reservation."]
    )  # fmt: skip
    return f"""
{known}
# [[held]]  # {MARK} only what another account holds for this one
# type = "t3.small"
# count = 1
# scope = "regional"  # or zonal
# payment = "all_upfront"
# ends_at = "2027-02-01"
"""


def _text(value: str | None) -> str:
    return json.dumps(value or "", ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else _text(name)


_HEAD = f"""
# Written by sizeup init from what the account says. It works as it stands.
# Lines with {MARK} hold what only a person can know; look at each. docs/reference/settings.md explains every key.
"""
_SCENARIOS = f"""
# [[scenario.api]]  # {MARK} what your users ask for; without any, the scenarios of loadtests/scenarios are sent
# request = "GET /boards?page={{int:1..50}}"
# name = "list"
# weight = 10  # relative to the others
# check = {{ status = 200, contains = "boards" }}
# auth = "token"

# [auth.token]  # where a token comes from; never stored
# env = "MY_TOKEN"  # or login = {{ request = "POST /login", json = {{ … }}, path = "accessToken", refresh = "POST /refresh" }}
"""
_TRAFFIC = f"""
[traffic]  # what the team expects; sizeup collect reads what was, and goes before it
# peak_per_s = [2, 6, 20]  # {MARK} requests a second from outside at the peak: low, likely, high
# mean_per_s = 2.0  # {MARK} the mean; without it a peak holds around the clock
# growth_ratio_per_year = 0.5  # {MARK} 0.5 is half as much again in a year
"""
_OBJECTIVES = f"""
[[objective]]  # what a user must see
name = "latency"
request = "*"  # which requests
quantile = 0.95
at = "target"  # the load balancer's view; client is the generator's
limit_s = 0.5  # {MARK} what is slow to your users

[[objective]]
name = "errors"
limit_ratio = 0.01  # {MARK} the share that may fail
"""
_POLICY = f"""
[policy]
confidence = 0.95  # share of sampled weeks in which a type must hold
survive_zone_loss = false  # whether one host fewer must hold too
leave_ratio_per_month = 0.03  # {MARK} the chance a month that this service leaves its type
capital_ratio_per_year = 0.0  # {MARK} what money costs you
# worst_loss_usd = 200  # {MARK} the most that may be owed where everything stops

[gate]  # what a purchase needs
days = 14  # the wait on demand that is priced
valid_minutes = 30  # of valid windows
history_days = 14
peak_ratio = 1.0  # highest valid rate over the forecast peak
deployments = 1  # seen
memory_ratio = 0.95  # share of valid windows with each group's memory
interval_ratio = 0.3  # widest interval of the binding need
instability_ratio = 0.1  # most that demand moves within a run
price_days = 365  # oldest price that may be bought by
"""
