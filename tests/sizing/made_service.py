"""Random services put into worlds without a run: what a decision must hold for, whatever was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from catalogue import Catalogue
from sizing import candidates, judge, scenarios
from sizing.model.latency import exponential_response
from sizing.model.traffic import stated_traffic
from sizing.types import DiskUse, HostModel, MemoryPart, World
from sizing.verdicts import Recommendation

MIB = 1 << 20
WORLDS = 64
TYPES = ("t2.nano", "t2.micro", "t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.xlarge", "m5.large", "t4g.small")


@dataclass(frozen=True)
class Service:
    demand_s: float = 0.01
    background_cores: float = 0.02
    memory_mib: float = 300.0
    doubt: float = 0.05
    wait_s: float = 0.02
    disk_bytes: float = 1000.0
    peak_per_s: float = 10.0
    mean_ratio: float | None = None
    deploy: str = "blue_green"
    growth_mib_h: float | None = None
    zone: bool = False
    seed: int = 0


services = st.builds(
    Service,
    demand_s=st.floats(0.0005, 0.08),
    background_cores=st.floats(0.0, 0.2),
    memory_mib=st.floats(50, 5000),
    doubt=st.floats(0.0, 0.2),
    wait_s=st.floats(0.0, 0.4),
    disk_bytes=st.floats(0, 2e6),
    peak_per_s=st.floats(0.5, 80),
    mean_ratio=st.none() | st.floats(0.1, 1.0),
    deploy=st.sampled_from(["blue_green", "stop_first", "none"]),
    growth_mib_h=st.none() | st.floats(0, 8),
    zone=st.booleans(),
    seed=st.integers(0, 5),
)


def made_model(s: Service) -> HostModel:
    rng = np.random.default_rng(s.seed)
    sway = 1 + s.doubt * rng.standard_normal((4, WORLDS)).clip(-3, 3)
    growth = None if s.growth_mib_h is None else np.full(WORLDS, s.growth_mib_h * MIB)
    return HostModel(
        host_class="api", names=["GET /boards"], merged=[[]], per_external=np.ones(1),
        demand_s_draws=s.demand_s * sway[:1], background_cores_draws=s.background_cores * sway[1],
        response_ratio_draws={0.95: np.maximum(sway[2], 0.1)},
        response=exponential_response(s.wait_s + s.demand_s, s.demand_s, "processor_sharing"),
        memory=[MemoryPart("api", s.memory_mib * MIB * sway[3], "pss", "made", True, None, growth)],
        error_ratio_draws=np.full(WORLDS, 0.001), bytes_per_request=2000.0, hosts=1, measured_family="t3", measured_arch="x86_64",
        disk=DiskUse(np.full(WORLDS, s.disk_bytes), np.zeros(WORLDS)),
    )  # fmt: skip


def made_world(seoul: Catalogue, s: Service, model: HostModel | None = None, types: tuple[str, ...] = TYPES) -> World:
    rng = np.random.default_rng(s.seed)
    mean = None if s.mean_ratio is None else s.mean_ratio * s.peak_per_s
    traffic = stated_traffic((s.peak_per_s, s.peak_per_s, s.peak_per_s), mean_per_s=mean, growth_ratio_per_year=None, n=WORLDS, rng=rng)
    asked = candidates(seoul, types, count=2 if s.zone else 1)
    present = seoul.types["t3.small"]
    return scenarios(model or made_model(s), traffic, asked, seoul, present, [(0.95, 0.5)], 0.01, s.deploy, s.zone, s.seed)


def cheapest(world: World, confidence: float = 0.9) -> float:
    """Price of the recommended candidate; endless where nothing fits."""
    return next((float(v.monthly_usd) for v in judge(world, confidence=confidence) if v.fits), np.inf)


def more(s: Service, **factors: float) -> Service:
    return replace(s, **{name: getattr(s, name) * factor for name, factor in factors.items()})


def seen(recommendation: Recommendation) -> tuple[object, ...]:
    return tuple((v.candidate.key, v.monthly_usd, v.probability, v.fits, v.dominated_by) for v in recommendation.verdicts)
