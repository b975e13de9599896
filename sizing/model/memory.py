"""What a host must hold: each group's memory at load, what kernel and system services take, and the page cache to keep warm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from catalogue import InstanceType
from sizing.jvm import JvmMemory, collector_bytes, default_collector, held_elsewhere_bytes
from sizing.model.growth import growth_bytes_per_h
from sizing.model.series import step_correlation
from sizing.types import F8, MemoryPart, World

MIB = 1 << 20
# A process tree says nothing of its kernel. Lower end: `free` on an m4.large with the ECS-optimized image, used less
# buffers and cache, 117,227,520 bytes (AWS Batch user guide, "Compute resource memory management"); the upper end leaves
# room for an SSM agent and a log shipper beside it.
KERNEL_BYTES = (112 * MIB, 176 * MIB)
KERNEL_SOURCE = "assumed range: idle m4.large in the AWS Batch user guide (112 MiB), up to 176 MiB with agents; the host agent measures it"
# Binaries, logs and data that are read again and again; without them every fault goes to the disk.
CACHE_BYTES = (24 * MIB, 64 * MIB)
CACHE_SOURCE = "assumed range for a service whose data lie elsewhere; measured once the host agent runs there"

FEWEST = 3.0
"""With fewer samples apart from each other nothing is known of how far memory sways."""


def memory_parts(samples: pl.DataFrame, *, source: str, n: int, rng: np.random.Generator) -> list[MemoryPart]:
    """Return the parts of a host's memory need in n sampled worlds.

    Parameters
    ----------
    samples : pl.DataFrame
        As in `Evidence.memory`; steady samples count, and where there is none, all of them.
    source : str
        The hosts table's source; a process tree's kernel is assumed, never measured.
    """
    steady = samples.filter(pl.col("kind") == "steady")
    used = steady if steady.height else samples
    parts = [_group_part(name, rows, n, rng) for (name,), rows in sorted(used.partition_by("group", as_dict=True).items())]
    if source in ("process_group", "cgroup"):
        parts.append(MemoryPart("kernel_and_system", rng.uniform(*KERNEL_BYTES, n), "assumed", KERNEL_SOURCE, False))
        parts.append(MemoryPart("page_cache_floor", rng.uniform(*CACHE_BYTES, n), "assumed", CACHE_SOURCE, False))
    return parts


def need_bytes(parts: Sequence[MemoryPart], *, copies: bool) -> F8:
    """Add up the parts, shape (S,); with `copies` the second copy of the group that a deployment doubles counts too."""
    total: F8 = sum((part.bytes_draws * _copies(part, copies) for part in parts), np.zeros(1))
    return total


def need_on_bytes(world: World, *, copies: bool) -> F8:
    """Add up the parts on each candidate, shape (C, S), or (1, S) where all hold alike: a JVM's heap follows its host."""
    less = np.array([[_less_on(world, instance, copies)] for instance in (c.instance for c in world.candidates)])
    total: F8 = need_bytes(world.model.memory, copies=copies)[None, :]
    return total - less if less.any() else total


def _less_on(world: World, there: InstanceType, copies: bool) -> float:
    """What the JVMs hold less on another type than where they were measured."""
    parts = [part for part in world.model.memory if part.jvm is not None]
    return sum(_freed_bytes(part, world.measured_on, there) * _copies(part, copies) for part in parts) if world.measured_on else 0.0


def _freed_bytes(part: MemoryPart, here: InstanceType | None, there: InstanceType) -> int:
    if here is None or part.jvm is None or here.usable_bytes == there.usable_bytes:
        return 0
    held = int(np.median(part.bytes_draws))
    freed = held - held_elsewhere_bytes(held, part.jvm, here.usable_bytes, there.usable_bytes)
    # A collector that was left to the default is Serial's on a host that isn't server-class.
    left_to_default = part.jvm.gc == default_collector(here.vcpus, here.usable_bytes)
    leaves_g1 = left_to_default and default_collector(there.vcpus, there.usable_bytes) == "Serial"
    return freed + (collector_bytes(part.jvm) if leaves_g1 else 0)


def _copies(part: MemoryPart, copies: bool) -> float:
    return 1.0 + part.copy_ratio if copies and part.doubled else 1.0


def _group_part(group: str, rows: pl.DataFrame, n: int, rng: np.random.Generator) -> MemoryPart:
    """Sample one copy of a group as a later moment will find it: from the second half of the life of the copy that held most."""
    lives = [life.group_by("at").agg(pl.col("bytes").max()).sort("at") for life in rows.partition_by("color")]
    # Memory rises to its level and sways there: the first half of a life says where it came from.
    held = {i: life["bytes"].to_numpy().astype(float) for i, life in enumerate(lives)}
    most = max(held, key=lambda i: float(np.median(held[i][len(held[i]) // 2 :])))
    late = held[most][len(held[most]) // 2 :]
    coloured = rows["color"].drop_nulls().len() > 0
    basis: Literal["pss", "rss"] = "pss" if (rows["basis"] == "pss").all() else "rss"
    draws = later_bytes(late, n, rng)
    return MemoryPart(group, draws, basis, "measured in the steady windows", coloured, _jvm(rows), _growth(lives, n, rng))


def later_bytes(held_bytes: F8, n: int, rng: np.random.Generator) -> F8:
    """Draw what one copy holds at a moment that nobody saw, shape (n,), from what it held, shape (samples,), in order.

    Notes
    -----
    A sample drawn again sways about the mean as those seen did. But neighbours sway together, so that m samples tell mean and
    sway no better than fewer apart from each other, m·(1 − ρ)/(1 + ρ) with ρ from one to the next: a short look sways less
    than the hours to come, by Student's t with so many. Memory that still rises has ρ near 1, and gets the widest.
    """
    mean, sway = float(held_bytes.mean()), held_bytes - held_bytes.mean()
    apart = max(_apart(sway), FEWEST)
    drawn = rng.choice(sway, n) + rng.normal(0.0, float(sway.std()) / np.sqrt(apart), n)
    scale = np.sqrt(apart / rng.chisquare(apart - 1, n))
    return np.asarray(np.maximum(mean + drawn * scale, 0.0))


def _apart(sway: F8) -> float:
    """How many samples apart from each other say as much of the mean."""
    samples, together = len(sway), step_correlation(sway)
    # A short series reads too little of it (Kendall 1954).
    together = float(np.clip(together + (1 + 4 * together) / samples, 0.0, 0.999))
    return samples * (1 - together) / (1 + together)


def _growth(lives: Sequence[pl.DataFrame], n: int, rng: np.random.Generator) -> F8 | None:
    """What the copy that ran longest gains an hour."""
    longest = max(lives, key=lambda life: life.height)
    at_s = longest["at"].dt.epoch("us").to_numpy() / 1e6
    return growth_bytes_per_h(at_s, longest["bytes"].to_numpy().astype(float), n, rng)


def _jvm(rows: pl.DataFrame) -> JvmMemory | None:
    """The heap of a JVM group at its fullest; None where no live set was measured."""
    names = ("jvm_used_bytes", "jvm_live_bytes", "jvm_committed_bytes", "jvm_max_bytes", "jvm_metaspace_bytes")
    used, live, committed, most, metaspace = (_most(rows, name) for name in names)
    if live is None or committed is None:
        return None
    collectors = rows["jvm_gc"].drop_nulls() if "jvm_gc" in rows.columns else pl.Series([], dtype=pl.String)
    return JvmMemory(str(collectors[-1]) if len(collectors) else "", used or live, live, committed, most or committed, metaspace)


def _most(rows: pl.DataFrame, column: str) -> int | None:
    value = rows[column].max() if column in rows.columns else None
    return value if isinstance(value, int) else None
