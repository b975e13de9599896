"""What a decision consists of: bounds, verdicts, levers, options, and the recommendation that carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from sizing.types import Bools, Candidate

if TYPE_CHECKING:
    from sizing.decide.shortlist import Simulated


@dataclass(frozen=True, slots=True)
class Bound:
    """One constraint judged for one candidate: its need (the quantile at the policy's confidence) against what the type has.

    `width_ratio` is the width of the need's central 90 % over its middle: how unsure the need is.
    """

    constraint: str
    need: float | None
    have: float | None
    unit: str
    probability: float | None
    ok: bool | None
    width_ratio: float | None = None

    @property
    def margin_ratio(self) -> float | None:
        if self.need is None or self.have is None or self.have == 0:
            return None
        return (self.have - self.need) / self.have


@dataclass(frozen=True, slots=True)
class Verdict:
    """One candidate, judged: every constraint, and the chance that all hold together.

    `probability_se` is the standard error that so many sampled worlds leave of that chance; `holds`, shape (S,), says of
    each world whether everything that can be judged holds there.
    """

    candidate: Candidate
    monthly_usd: Decimal | None
    monthly_usd_free_tier: Decimal | None
    bounds: Sequence[Bound]
    probability: float | None
    fits: bool | None
    speed: Literal["measured", "benchmark", "none"]
    dominated_by: str | None = None
    probability_se: float | None = None
    holds: Bools | None = field(default=None, compare=False, repr=False)

    def bound(self, constraint: str) -> Bound | None:
        return next((b for b in self.bounds if b.constraint == constraint), None)


@dataclass(frozen=True, slots=True)
class Lever:
    """A change that lets a cheaper candidate fit: what it saves a month, and what it needs."""

    code: Literal["cap_heap", "serial_collector", "stop_first", "unlimited", "arm64", "measure_arm64"]
    detail: str
    type: str
    saves_monthly_usd: Decimal
    needs: str


@dataclass(frozen=True, slots=True)
class Option:
    """Another count or placement of hosts, priced, that changes more than the type: what it adds a month (negative: saves), and needs."""

    code: Literal["zone_loss", "more_hosts", "shared_host"]
    verdict: Verdict
    adds_monthly_usd: Decimal
    needs: str


@dataclass(frozen=True, slots=True)
class Regret:
    """What the recommended costs beyond the best that hindsight would name.

    `overpaid_monthly_usd`: against the cheapest that holds in each world, in the mean; `probability`: that it doesn't hold
    itself; then `to` does, for `monthly_usd` more (None where nothing dearer does).
    """

    overpaid_monthly_usd: Decimal
    probability: float
    to: str | None
    monthly_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer for one host class, with everything that it rests on.

    `binding` is the constraint of least margin, be it one that costs instead of failing (credits in unlimited mode);
    `width_ratio` the interval over the middle of the need that decides: the least margin's among those that can fail.
    """

    host_class: str
    deploy: str
    verdict: Literal["rightsized", "oversized", "undersized", "unknown"]
    present: Verdict | None
    recommended: Verdict | None
    binding: Bound | None
    width_ratio: float | None
    verdicts: Sequence[Verdict]
    levers: Sequence[Lever] = ()
    simulated: Sequence[Simulated] = ()
    options: Sequence[Option] = ()
    regret: Regret | None = None
    next: Sequence[Mapping[str, str | None]] = field(default_factory=tuple)
