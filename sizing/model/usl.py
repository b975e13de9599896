"""How throughput grows with concurrency: the universal scalability law on a ramp's steps, with the intervals that so few points allow.

Source: N. Gunther, Guerrilla Capacity Planning, 2007: X(N) = λN / (1 + σ(N−1) + κN(N−1)), N = X·R the concurrency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sizing.types import F8


@dataclass(frozen=True, slots=True)
class Usl:
    """A fitted law.

    Attributes
    ----------
    rate : λ, throughput at one request in flight
    contention, coherency : σ and κ
    errors : standard errors of (contention, coherency, rate); nan where the points leave none
    residual : residual standard error, in throughput
    freedom : points less three
    measured_to : the highest concurrency that was measured
    """

    rate: float
    contention: float
    coherency: float
    errors: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    residual: float = math.nan
    freedom: int = 0
    measured_to: float = math.inf

    def throughput(self, concurrency: F8) -> F8:
        """X at each concurrency."""
        n = np.asarray(concurrency, dtype=float)
        found: F8 = self.rate * n / (1 + self.contention * (n - 1) + self.coherency * n * (n - 1))
        return found

    def response_s(self, concurrency: F8) -> F8:
        """R = N / X (Little)."""
        found: F8 = np.asarray(concurrency, dtype=float) / self.throughput(concurrency)
        return found

    def concurrency_at(self, response_s: float) -> float:
        """The concurrency whose response time is `response_s`; nan where even one request takes longer."""
        linear = self.contention - self.coherency
        rest = 1 - self.contention - self.rate * response_s
        if self.coherency == 0:
            return -rest / linear if linear else math.inf
        inside = linear**2 - 4 * self.coherency * rest
        return (-linear + math.sqrt(inside)) / (2 * self.coherency) if inside >= 0 else math.nan

    @property
    def peak(self) -> float:
        """Concurrency of the highest throughput; inf where nothing is lost to coherency."""
        return math.sqrt(max(1 - self.contention, 0.0) / self.coherency) if self.coherency > 0 else math.inf

    @property
    def limit(self) -> float:
        """Throughput that contention alone would allow (Amdahl's asymptote)."""
        return self.rate / self.contention if self.contention > 0 else math.inf

    def interval(self, level: float) -> dict[str, tuple[float, float]]:
        """Two-sided intervals of the three coefficients, by Student's t with the freedom that is left."""
        from scipy.special import stdtrit

        reach = float(stdtrit(self.freedom, (1 + level) / 2))
        found = zip(("contention", "coherency", "rate"), (self.contention, self.coherency, self.rate), self.errors, strict=True)
        return {name: (value - reach * error, value + reach * error) for name, value, error in found}

    def extrapolates(self, concurrency: float) -> bool:
        """Whether a figure at this concurrency lies past twice what was measured: its median error is 12 %, at p95 41 %."""
        return concurrency > 2 * self.measured_to


def fit_usl(concurrency: F8, throughput: F8) -> Usl:
    """Fit the law by least squares with all three coefficients free, none negative and σ at most 1; X(1) is a point like the others.

    Raises
    ------
    ValueError
        With under four points: three coefficients leave nothing to tell their errors from.
    """
    from scipy.optimize import least_squares  # a third of a start, which only a ramp needs

    n, x = np.asarray(concurrency, dtype=float), np.asarray(throughput, dtype=float)
    if len(n) < 4:
        raise ValueError(f"the scalability law needs four steps or more, here {len(n)}")
    scale = float((x / n).max())

    def residual(coefficients: F8) -> F8:
        sigma, kappa, rate = coefficients
        found: F8 = rate * n / (1 + sigma * (n - 1) + kappa * n * (n - 1)) - x / scale
        return found

    within, steps = (0, (1, np.inf, np.inf)), (0.01, 1e-4, 1.0)
    solved = least_squares(residual, (0.02, 1e-4, 1.0), bounds=within, x_scale=steps, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    sigma, kappa, rate = solved.x
    spread = math.sqrt(2 * solved.cost / (len(n) - 3))
    slopes = np.asarray(solved.jac, dtype=float)
    errors = spread * np.sqrt(np.diag(np.linalg.pinv(slopes.T @ slopes)))
    return Usl(
        rate=float(rate * scale),
        contention=float(sigma),
        coherency=float(kappa),
        errors=(float(errors[0]), float(errors[1]), float(errors[2] * scale)),
        residual=spread * scale,
        freedom=len(n) - 3,
        measured_to=float(n.max()),
    )
