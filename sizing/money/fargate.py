"""What would the service cost on Fargate? Its steps of vCPU and memory, and what tasks of a size cost.

Source: AWS Fargate pricing: billed by the second from download to end, a minute at least (Windows: five); 20 GB of ephemeral
storage are included; a GB is 1,024³ bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

GB_BYTES = 1024**3
FREE_EPHEMERAL_GB = 20
HOUR_S = Decimal(3600)


def _steps(least: int, most: int, step: int) -> tuple[Decimal, ...]:
    return tuple(Decimal(gb) for gb in range(least, most + 1, step))


SIZES: Mapping[Decimal, Sequence[Decimal]] = {
    Decimal("0.25"): (Decimal("0.5"), Decimal(1), Decimal(2)), Decimal("0.5"): _steps(1, 4, 1), Decimal(1): _steps(2, 8, 1),
    Decimal(2): _steps(4, 16, 1), Decimal(4): _steps(8, 30, 1), Decimal(8): _steps(16, 60, 4), Decimal(16): _steps(32, 120, 8),
    Decimal(32): (Decimal(60), Decimal(120), Decimal(244)),
}  # fmt: skip
"""GB that each count of vCPUs may have."""


@dataclass(frozen=True, slots=True)
class TaskSize:
    """A size that Fargate offers."""

    vcpus: Decimal
    gb: Decimal


@dataclass(frozen=True, slots=True)
class FargateRates:
    """Dollars a second: a vCPU, a GB, a GB of storage beyond the included, and the operating system's licence a vCPU."""

    vcpu_usd: Decimal
    gb_usd: Decimal
    storage_gb_usd: Decimal = Decimal(0)
    os_vcpu_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class FargateCost:
    """The charges of tasks, part by part."""

    cpu_usd: Decimal
    memory_usd: Decimal
    storage_usd: Decimal
    os_usd: Decimal

    @property
    def total_usd(self) -> Decimal:
        return self.cpu_usd + self.memory_usd + self.storage_usd + self.os_usd


def fargate_usd(
    rates: FargateRates, size: TaskSize, *, tasks: int = 1, seconds: Decimal, storage_gb: Decimal = Decimal(FREE_EPHEMERAL_GB)
) -> FargateCost:
    """Price `tasks` tasks of a size, each running for `seconds`."""
    task_s, extra_gb = tasks * seconds, max(storage_gb - FREE_EPHEMERAL_GB, Decimal(0))
    return FargateCost(
        task_s * size.vcpus * rates.vcpu_usd, task_s * size.gb * rates.gb_usd, task_s * extra_gb * rates.storage_gb_usd,
        task_s * size.vcpus * rates.os_vcpu_usd,
    )  # fmt: skip


def is_task_size(vcpus: Decimal, gb: Decimal) -> bool:
    """Tell whether Fargate offers so many vCPUs with so much memory."""
    return gb in SIZES.get(vcpus, ())


def sizes_that_hold(vcpus: Decimal, gb: Decimal) -> list[TaskSize]:
    """List, for each count of vCPUs that is enough, the least memory step that is; empty where none holds it."""
    enough = [(count, [step for step in steps if step >= gb]) for count, steps in SIZES.items() if count >= vcpus]
    return [TaskSize(count, steps[0]) for count, steps in enough if steps]
