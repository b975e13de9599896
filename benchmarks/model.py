"""The sizing model against services of known truth, and how long a whole region takes to judge; one JSON line.

`--seed N …` makes other services, `--services N` another number for each seed: nothing was tuned on seeds that nobody saw.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import asdict

import numpy as np
from scoring import Score, false_leaks, outcomes, summed

from catalogue import load_catalogue
from sizing.decide.candidates import candidates
from sizing.decide.judge import judge
from sizing.decide.worlds import scenarios
from sizing.model.latency import exponential_response
from sizing.types import HostModel, MemoryPart, Traffic

SERVICES, WORLDS, STEPS, STEP_S = 200, 1024, 2016, 300.0
SEEDS = (20261124, 1, 2)
SOAKS = 1600
# The best of a few turns: a machine that others use too slows some of them.
TURNS = 3
LIMIT_S, LIMIT_MIB = 1.0, 500
COVERAGE = (0.85, 0.95)


def region() -> dict[str, float]:
    """Judge every current type of the largest region in both credit modes over sampled weeks of five-minute steps."""
    catalogue, rng = load_catalogue("us-east-1"), np.random.default_rng(0)
    everything = [c for c in candidates(catalogue, all_types=True) if c.instance.current_generation]
    hours = np.arange(STEPS) * STEP_S / 3600
    rates = 12.0 * (1 + 0.6 * np.cos(2 * np.pi * (hours - 20) / 24))[:, None] * rng.lognormal(0, 0.2, (STEPS, WORLDS))
    traffic = Traffic("stated", rates, STEP_S)
    model = _model(rng)
    for name in {c.type for c in everything}:
        catalogue.speed(name, "t3.small")  # read from the catalogue's files once, as importing is
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took_s = np.inf
    for _ in range(TURNS):
        start = time.perf_counter()
        world = scenarios(model, traffic, everything, catalogue, catalogue.types["t3.small"], [(0.95, 0.5)], 0.01, "blue_green", False, 0)
        verdicts = judge(world, confidence=0.95)
        took_s = min(took_s, time.perf_counter() - start)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 + rates.nbytes / 2**20
    widest = max(v.probability_se for v in verdicts if v.probability_se is not None)
    types = len({c.type for c in everything})
    measured = {"region_s": round(took_s, 3), "region_mib": round(grown), "probability_se_max": round(widest, 4)}
    return {"types": types, "candidates": len(verdicts), **measured}


def _model(rng: np.random.Generator) -> HostModel:
    part = MemoryPart("api", rng.normal(4e8, 1e7, WORLDS), "pss", "made", True)
    return HostModel(
        host_class="api",
        names=["GET /boards"],
        merged=[[]],
        per_external=np.ones(1),
        demand_s_draws=rng.normal(0.03, 0.001, (1, WORLDS)),
        background_cores_draws=rng.uniform(0.01, 0.03, WORLDS),
        response_ratio_draws={0.95: np.ones(WORLDS)},
        memory=[part],
        error_ratio_draws=np.full(WORLDS, 0.001),
        bytes_per_request=4000.0,
        hosts=1,
        measured_family="t3",
        measured_arch="x86_64",
        response=exponential_response(0.04, 0.03, "processor_sharing"),
    )


def passes(speed: dict[str, float], score: Score) -> bool:
    """Whether the figures hold."""
    covered = all(COVERAGE[0] <= share <= COVERAGE[1] for share in score.coverage.values())
    decided = score.within_tenth >= 0.98 and score.worst_probability >= 0.75 and score.near_cheapest >= 0.95
    return covered and decided and speed["region_s"] < LIMIT_S and speed["region_mib"] < LIMIT_MIB


def main() -> int:
    """Print what was measured, over all seeds and by each; return 1 where a limit doesn't hold."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, nargs="+", default=SEEDS)
    asked.add_argument("--services", type=int, default=SERVICES)
    args = asked.parse_args()
    speed = region()
    found = {seed: outcomes(args.services, seed) for seed in args.seed}
    score = summed([outcome for each in found.values() for outcome in each])
    each = {str(seed): asdict(summed(of_seed)) for seed, of_seed in found.items()}
    leaks = {"soaks": SOAKS, "false_leaks": false_leaks(SOAKS, args.seed[0])}
    ok = passes(speed, score)
    print(json.dumps({"benchmark": "model", **speed, "seeds": list(args.seed), **asdict(score), **leaks, "by_seed": each, "ok": ok}))
    return int(not ok)


if __name__ == "__main__":
    sys.exit(main())
