"""What may be loaded: only what the settings name, and no faster than they allow; asked before any request is sent."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from evidence import SizeupError
from loadtests.plan import Step
from loadtests.settings import Target


def check_target(name: str, targets: Mapping[str, Target]) -> Target:
    """Return the target of that name.

    Raises
    ------
    SizeupError
        Where the settings name no such target, or it is production without a cap on its rate.
    """
    if name not in targets:
        near = difflib.get_close_matches(name, targets, 1)
        known = f'did you mean "{near[0]}"?' if near else f"add [target.{name}] there; it names {', '.join(sorted(targets)) or 'none yet'}."
        raise SizeupError(f'target "{name}": sizeup.toml doesn\'t name it, nothing was sent; {known}')
    target = targets[name]
    if target.environment == "production-ack" and target.max_rate_per_s is None:
        raise SizeupError(f'target "{name}": production is loaded under a cap only; set max_rate_per_s in [target.{name}].')
    return target


def check_rates(name: str, target: Target, steps: Sequence[Step]) -> None:
    """Refuse a plan that exceeds the target's cap, or that offers nothing.

    Raises
    ------
    SizeupError
        Naming the first step that does.
    """
    if not steps:
        raise SizeupError(f'target "{name}": the plan has no step, nothing was sent; name rates with --rates 5,10,20.')
    for step in steps:
        if not (step.rate_per_s > 0 and step.seconds > 0):
            offered = f"{step.rate_per_s:g}/s over {step.seconds:g} s"
            raise SizeupError(f'target "{name}": step "{step.name}" asks for {offered}; both must be above 0.')
        if target.max_rate_per_s is not None and step.rate_per_s > target.max_rate_per_s:
            raise SizeupError(
                f'target "{name}": step "{step.name}" exceeds its cap of {target.max_rate_per_s:g}/s, nothing was sent; '
                f"lower --rates or raise max_rate_per_s in [target.{name}]."
            )
