"""What is offered over time: steps of a rate, written to a file that the Locust process reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evidence import SizeupError, write_json


@dataclass(frozen=True, slots=True)
class Step:
    """A rate held for a while: `rate_per_s` arrivals a second, of all workers together."""

    name: str
    rate_per_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps one after the other, and what is called at each arrival.

    Attributes
    ----------
    seed : int
        The arrivals' times and the choice of scenarios follow from it.
    scenario : str or None
        The only scenario to call; None means the mix by weight.
    simple : sequence of mappings
        Scenarios written in sizeup.toml (`name, host_class, request, weight, check, auth`); where there are any they
        are the mix, since the built-in ones are those of one particular service.
    auth : mapping
        How each named token is got, without its secret: `{"env": …}` or `{"request", "path", "refresh", "json_env"}`.
    """

    steps: Sequence[Step]
    seed: int = 0
    scenario: str | None = None
    simple: Sequence[Mapping[str, Any]] = ()
    auth: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


def steps_plan(rates_per_s: Sequence[float], step_s: float) -> list[Step]:
    """Return one step a rate, each `step_s` long, named by their number and rate: `1: 5/s`."""
    return [Step(f"{number}: {rate:g}/s", float(rate), float(step_s)) for number, rate in enumerate(rates_per_s, 1)]


def write_plan(
    path: Path, steps: Sequence[Step], seed: int, *, scenario: str | None = None,
    simple: Sequence[Mapping[str, Any]] = (), auth: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:  # fmt: skip
    """Write the plan file that the locustfile reads with `--sizeup-plan`; it never holds a secret."""
    write_json(path, {"schema": "1", **asdict(Plan(list(steps), seed, scenario, list(simple), dict(auth or {})))})


def read_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises
    ------
    SizeupError
        Where it can't be read or isn't a plan.
    """
    try:
        data = json.loads(path.read_bytes())
        steps = [Step(str(s["name"]), float(s["rate_per_s"]), float(s["seconds"])) for s in data["steps"]]
        return Plan(steps, int(data["seed"]), data.get("scenario"), data.get("simple", ()), data.get("auth", {}))
    except OSError as refused:
        raise SizeupError(f"{path}: the plan can't be read ({refused.strerror}); name another with --sizeup-plan.") from None
    except (ValueError, KeyError, TypeError) as broken:
        raise SizeupError(f"{path}: not a plan file ({broken!r}); write it with loadtests.write_plan.") from None
