"""What travels between the steps before a decision. The last axis of every `*_draws` is the sampled world, one order everywhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from catalogue import InstanceType
from evidence import Reason, Warn
from sizing.jvm import JvmMemory

if TYPE_CHECKING:
    from sizing.model.bend import Bend
    from sizing.model.demand import DemandFit
    from sizing.model.discipline import Choice
    from sizing.model.latency import Response, Varied
    from sizing.model.scaling import Scaling

F8 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
CreditMode = Literal["standard", "unlimited"]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a run in which the offered load was steady, or that is set apart for its reason."""

    name: str
    start: datetime
    end: datetime
    kind: Literal["steady", "warmup", "deploy"]
    offered_per_s: float
    achieved_per_s: float
    valid: bool
    why: str

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Server:
    """The process group that takes most of a host's CPU, as it is on one host.

    Attributes
    ----------
    threads : a process's
    gc_ratio : its collector's time over its CPU time; a parallel collector takes more than its time. None where none was read
    """

    group: str
    processes: int
    threads: float
    jvm: bool
    gc_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the runs say of one host class.

    Attributes
    ----------
    names : the request names that the load balancer sent to the class
    counts : shape (bins, names), arrivals in each bin, spread over the time that each was being served
    cpu_s, seconds : shape (bins,), CPU seconds that the host class took, and the bin's length
    blocks : shape (bins,), which window a bin lies in
    memory : one row a sample: at, group, color, pss_bytes (RSS where PSS could not be read), basis, window kind
    latency_s, latency_load : shape (requests,), response time at the target, and its window's arrivals a second of the class
    external : requests from outside in the valid windows; `counts_external_ratio` maps one of them to the class's arrivals by name
    server : what computes there; None where no process was read
    mean_latency_s : the load balancer's mean response time, where single ones weren't logged
    """

    host_class: str
    windows: Sequence[Window]
    names: Sequence[str]
    counts: F8
    cpu_s: F8
    seconds: F8
    blocks: npt.NDArray[np.int64]
    memory: pl.DataFrame
    latency_s: F8
    latency_load: F8
    arrivals_per_external: F8
    errors: int
    requests: int
    highest_external_per_s: float
    bytes_per_request: float
    hosts: int
    vcpus: int
    source: str
    deployments: int
    excluded_ratio: float
    quality: Sequence[Reason]
    warnings: Sequence[Warn]
    runs: Sequence[str]
    synthetic: bool
    server: Server | None = None
    mean_latency_s: float | None = None

    @property
    def mean_response_s(self) -> float | None:
        """The mean response time at the target, of the lightest window where single ones were logged; None where none was."""
        if not len(self.latency_s):
            return self.mean_latency_s
        return float(self.latency_s[self.latency_load == self.latency_load.min()].mean())


@dataclass(frozen=True, slots=True)
class MemoryPart:
    """One part of a host's memory need.

    `doubled`: a deployment runs it twice, and then a second copy of `copy_ratio` of the first is there. `jvm`: its heap,
    which follows the host; None where no live set was measured. `growth_bytes_per_h_draws`: what it gains an hour; None
    where no soak says.
    """

    group: str
    bytes_draws: F8
    basis: Literal["pss", "rss", "jvm_live", "assumed"]
    source: str
    doubled: bool
    jvm: JvmMemory | None = None
    growth_bytes_per_h_draws: F8 | None = None
    copy_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class DiskUse:
    """Bytes that a host's disks move, read and written: for one arrival of the class, and a second without any; each shape (S,)."""

    bytes_per_arrival_draws: F8
    background_bytes_per_s_draws: F8


@dataclass(frozen=True, slots=True)
class HostModel:
    """What one host class costs, in sampled worlds.

    Attributes
    ----------
    names, merged : the request groups told apart, and for each the other names in it
    members : shape (groups,), arrivals of the group for one request from outside
    demand_s_draws : shape (groups, S), CPU seconds a request on the present type while sibling threads are idle
    background_cores_draws : shape (S,), CPU taken without load, in cores
    response_ratio_draws : Mapping of quantile to (S,), the run's own quantile over `response`'s; nan where no response time is known
    response, choice : what a request's time is made of, and in which order the CPU serves; None where no response time is known
    scaling : the scalability law of the steps; None with under four
    counted : demand and background (of all hosts) in the CPU seconds that the kernel counted, which a busy sibling thread lengthens
    varied : `response` with a CPU that varies otherwise, as the run leaves open; None where it is known or nothing tells
    bend : how a request's cost changes with the rate; None where the steps don't show that it does
    """

    host_class: str
    names: Sequence[str]
    merged: Sequence[Sequence[str]]
    per_external: F8
    demand_s_draws: F8
    background_cores_draws: F8
    response_ratio_draws: Mapping[float, F8]
    memory: Sequence[MemoryPart]
    error_ratio_draws: F8
    bytes_per_request: float
    hosts: int
    measured_family: str | None
    measured_arch: str | None
    response: Response | None = None
    choice: Choice | None = None
    scaling: Scaling | None = None
    bend: Bend | None = None
    counted: DemandFit | None = None
    disk: DiskUse | None = None
    varied: Varied | None = None

    @property
    def mean_demand_s(self) -> F8:
        """CPU seconds of the mean request at the middle of the measured rates, shape (S,)."""
        found: F8 = (self.demand_s_draws * self.per_external[:, None]).sum(axis=0) / max(float(self.per_external.sum()), 1e-12)
        return found

    def demand_ratio(self, external_per_s: F8) -> F8:
        """What a request costs at a rate from outside over what it costs at the middle of the measured ones, shape broadcast."""
        return np.ones(1) if self.bend is None else self.bend.ratio(external_per_s * self.per_external.sum())


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second from outside: `rate_draws` has shape (steps, S), a step lasts `step_s`.

    `history_days`: whole days of production's own counts that stand behind it, 0 where nobody collected any.
    """

    source: Literal["history", "stated", "run"]
    rate_draws: F8
    step_s: float
    growth_ratio_per_year: float | None = None
    history_days: float = 0.0

    @property
    def peak_draws(self) -> F8:
        """The highest rate of each world, shape (S,)."""
        peak: F8 = self.rate_draws.max(axis=0)
        return peak


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to run one host class: `count` hosts of a type in a credit mode; None mode where it isn't burstable."""

    instance: InstanceType
    count: int
    placement: Literal["separate", "shared"]
    credit_mode: CreditMode | None
    on_demand_monthly_usd: Decimal | None
    surplus_usd_per_credit: Decimal | None

    @property
    def type(self) -> str:
        return self.instance.name

    @property
    def key(self) -> tuple[str, int, str, str | None]:
        return (self.type, self.count, self.placement, self.credit_mode)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything that a constraint may read, for one host class and a list of candidates (C) in S sampled worlds.

    Attributes
    ----------
    speed_draws : shape (C, S), speed of one thread relative to the measured host's
    threads_draws : shape (C, S), how many full threads' worth of work all vCPUs do together
    work_draws : shape (steps, S), vCPUs of the measured host that the arrivals of the whole class keep busy
    hosts_left : shape (C, 1), hosts that share them
    measured_on : the type that the run's hosts are; None where nobody knows
    """

    model: HostModel
    traffic: Traffic
    candidates: Sequence[Candidate]
    speed_draws: F8
    threads_draws: F8
    work_draws: F8
    hosts_left: F8
    latency: Sequence[tuple[float, float]]
    error_limit_ratio: float
    deploy: Literal["blue_green", "stop_first", "none"]
    survive_zone_loss: bool
    measured_on: InstanceType | None = None

    @property
    def size(self) -> tuple[int, int]:
        return len(self.candidates), self.traffic.rate_draws.shape[1]

    @property
    def peak_busy_draws(self) -> F8:
        """Busy vCPUs of one host at each world's peak, what it takes idle included, shape (C, S)."""
        busy: F8 = (self.work_draws.max(axis=0) / self.hosts_left + self.model.background_cores_draws) / self.speed_draws
        return busy

    def only(self, keys: Collection[tuple[str, int, str, str | None]]) -> World:
        """The same worlds with these candidates alone."""
        rows = [row for row, c in enumerate(self.candidates) if c.key in keys]
        return replace(
            self,
            candidates=[self.candidates[row] for row in rows],
            speed_draws=self.speed_draws[rows],
            threads_draws=self.threads_draws[rows],
            hosts_left=self.hosts_left[rows],
        )
