"""What a machine shows beside its process groups: kernel and system memory, and the bytes that its disks move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sizing.model.demand import fit_demand
from sizing.model.memory import CACHE_BYTES, CACHE_SOURCE
from sizing.model.windows import between
from sizing.types import F8, DiskUse, Evidence, MemoryPart, Window

LEAST_SAMPLES = 10
NEAR = "30s"
"""PSS is read more rarely than the machine's own memory."""


def system_parts(hosts: pl.DataFrame, processes: pl.DataFrame, evidence: Evidence, n: int, rng: np.random.Generator) -> list[MemoryPart]:
    """Return what a whole host holds beside its groups; nothing for a process tree, whose kernel is assumed with its groups.

    Parameters
    ----------
    hosts, processes : pl.DataFrame
        The class's rows of the run.

    Notes
    -----
    MemTotal − MemAvailable is what can't be reclaimed; less the groups' anonymous pages it is the kernel's and the
    system's own. The page cache to keep warm is a stated range: how much of it a service reads again nobody sees.
    """
    held = processes.group_by("host", "at").agg(anonymous=pl.coalesce("rss_anon_bytes", "pss_bytes", "rss_bytes").sum())
    rows = _steady(hosts, _windows(evidence)).drop_nulls(["mem_total_bytes", "mem_available_bytes"]).sort("at")
    rows = rows.join_asof(held.sort("at"), on="at", by="host", strategy="nearest", tolerance=NEAR, check_sortedness=False)
    rows = rows.drop_nulls("anonymous")
    if rows.height < LEAST_SAMPLES:
        return []
    beside = (rows["mem_total_bytes"] - rows["mem_available_bytes"] - rows["anonymous"]).to_numpy().astype(float)
    kernel = rng.choice(np.maximum(beside[len(beside) // 2 :], 0.0), n)
    return [
        MemoryPart("kernel_and_system", kernel, "rss", "measured: MemTotal − MemAvailable − the groups' anonymous pages", False),
        MemoryPart("page_cache_floor", rng.uniform(*CACHE_BYTES, n), "assumed", CACHE_SOURCE, False),
    ]


def disk_use(hosts: pl.DataFrame, evidence: Evidence, n: int, rng: np.random.Generator) -> DiskUse | None:
    """Fit the bytes that one host's disks move for a request and without any; None where they were not sampled.

    The utilisation law with bytes in place of CPU: each sample is a bin, its arrivals those of its window.
    """
    cut = _windows(evidence)
    rates = _arrivals_per_s(evidence, len(cut))
    samples = [_steady(hosts, [w]).drop_nulls(["disk_read_bytes", "disk_write_bytes"]) for w in cut]
    if sum(s.height for s in samples) < LEAST_SAMPLES or not rates.any():
        return None
    rows = pl.concat(samples)
    seconds = rows["interval_s"].to_numpy().astype(float)
    arrived = np.repeat(rates, [s.height for s in samples]) * seconds / evidence.hosts
    moved = (rows["disk_read_bytes"] + rows["disk_write_bytes"]).to_numpy().astype(float)
    found = fit_demand(arrived[:, None], moved, seconds, ["all"], n=n, rng=rng)
    return DiskUse(found.demand_s_draws[0], found.background_cores_draws)


def _windows(evidence: Evidence) -> list[Window]:
    return [w for w in evidence.windows if w.valid and w.kind == "steady"]


def _steady(rows: pl.DataFrame, cut: Sequence[Window]) -> pl.DataFrame:
    return pl.concat([between(rows, "at", w.start, w.end).sort("at") for w in cut]) if cut else rows.clear()


def _arrivals_per_s(evidence: Evidence, cut: int) -> F8:
    """The class's arrivals a second in each window, shape (windows,)."""
    arrived = np.bincount(evidence.blocks, weights=evidence.counts.sum(axis=1), minlength=cut)
    seconds = np.bincount(evidence.blocks, weights=evidence.seconds, minlength=cut)
    found: F8 = arrived / np.maximum(seconds, 1e-9)
    return found
