"""Loads a target with an open-loop Locust user and writes what each request did into a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.checks import check
    from loadtests.feeds import feed
    from loadtests.guard import check_rates, check_target
    from loadtests.launch import LoadOutcome, LocustHandle, run_locust, start_locust
    from loadtests.mix import scenario_mix
    from loadtests.plan import Plan, Step, read_plan, steps_plan, write_plan
    from loadtests.probe import probe_rates
    from loadtests.settings import Auth, LoadSettings, Login, SimpleScenario, Target, plan_auth, plan_scenarios
    from loadtests.user import OpenLoopUser, scenario

__all__ = [
    "Auth", "LoadOutcome", "LoadSettings", "LocustHandle", "Login", "OpenLoopUser", "Plan", "SimpleScenario", "Step", "Target",
    "check", "check_rates", "check_target", "feed", "plan_auth", "plan_scenarios", "probe_rates", "read_plan", "run_locust",
    "scenario", "scenario_mix", "start_locust", "steps_plan", "write_plan",
]  # fmt: skip

# Lazy: `user` imports Locust, which patches the whole process; only a locustfile may ask for it.
_LAZY = {
    "check": "checks", "feed": "feeds", "check_rates": "guard", "check_target": "guard", "probe_rates": "probe",
    "scenario_mix": "mix", "LoadOutcome": "launch", "LocustHandle": "launch", "run_locust": "launch", "start_locust": "launch",
    "Plan": "plan", "Step": "plan", "read_plan": "plan", "steps_plan": "plan", "write_plan": "plan",
    "Auth": "settings", "LoadSettings": "settings", "Login": "settings", "SimpleScenario": "settings", "Target": "settings",
    "plan_auth": "settings", "plan_scenarios": "settings",
    "OpenLoopUser": "user", "scenario": "user",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"loadtests.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
