"""From a run's tables to what one host class was asked for and what it took, bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from evidence import Run, SizeupError, Warn, route_name
from sizing.model.alignment import aligned, shift_beats
from sizing.model.windows import between, windows
from sizing.types import F8, Evidence, Window

# Shorter bins follow the load's own Poisson swings, longer ones blur where a request's CPU fell; 1 s is the sampler's beat.
BIN_BEATS = 2
LONG_BEAT_S = 10.0
"""Beats of a monitor, not of the sampler: each is a bin by itself."""


def gather(runs: Sequence[Run], host_class: str, *, target_groups: Mapping[str, str], latency_limit_s: float = 0.5) -> Evidence:
    """Read what `runs` say of one host class.

    Parameters
    ----------
    runs : Sequence[Run]
        Opened runs of one target; the newest leads where only one can be used (memory basis, windows).
    target_groups : Mapping[str, str]
        Host class to target group name, as the load balancer logs it.

    Raises
    ------
    SizeupError
        Where no run holds a sample of the class.
    """
    run = runs[0]
    hosts = run.hosts.filter(pl.col("class") == host_class).sort("at")
    if hosts.is_empty():
        known = ", ".join(sorted(set(run.hosts["class"]))) or "none"
        raise SizeupError(
            f"run {run.id}: hosts.parquet has no sample of class {host_class!r} (it has: {known}); load again with a sampler there."
        )
    cut = windows(run, latency_limit_s)
    log = named_log(run)
    arrivals = log.filter(pl.col("target_group") == pl.lit(target_groups.get(host_class), pl.String))
    steady = [w for w in cut if w.kind == "steady" and w.valid]
    names = [str(n) for n in arrivals["name"].value_counts(sort=True)["name"]]
    beats = _beats(hosts, arrivals, names, steady)
    shift = shift_beats([b.counts.sum(axis=1) for b in beats], [b.cpu_s for b in beats])
    counts, cpu_s, seconds, blocks = _bins([b.shifted(shift) for b in beats], names)
    external = external_lines(run, log)
    inside_external = _inside(external, "created_at", steady)
    inside = _inside(arrivals, "created_at", steady)
    per_external = np.array([(inside["name"] == n).sum() for n in names], dtype=float) / max(inside_external.height, 1)
    latency_s, latency_load = _latencies(arrivals, steady)
    total_s = sum(w.seconds for w in cut if w.kind != "deploy") or 1.0
    return Evidence(
        host_class=host_class,
        windows=cut,
        names=names,
        counts=counts,
        cpu_s=cpu_s,
        seconds=seconds,
        blocks=blocks,
        memory=_memory(run, hosts, cut),
        latency_s=latency_s,
        latency_load=latency_load,
        arrivals_per_external=per_external,
        errors=int((inside["status"] >= 500).sum()),
        requests=inside.height,
        highest_external_per_s=max((w.offered_per_s for w in steady), default=0.0),
        bytes_per_request=float(inside["sent_bytes"].to_numpy().mean()) if inside.height else 0.0,
        hosts=int(hosts["host"].n_unique()),
        vcpus=int(hosts["vcpus"][0]),
        source=str(hosts["source"][0]),
        deployments=run.events.filter((pl.col("kind") == "deploy") & (pl.col("subject") == host_class)).height,
        excluded_ratio=1.0 - sum(w.seconds for w in steady) / total_s,
        quality=(),
        warnings=tuple(_warnings(steady, shift)),
        runs=[r.id for r in runs],
        synthetic=any(r.synthetic for r in runs),
    )


def named_log(run: Run) -> pl.DataFrame:
    """Return the access log with `name`, the route of each line, and `began_at`, when the target was asked."""
    log = run.access_log
    pairs = log.select("method", "url").unique()
    routes = pl.DataFrame(
        {"method": pairs["method"], "url": pairs["url"], "name": [route_name(m, u) for m, u in pairs.iter_rows()]},
        schema={"method": pl.String, "url": pl.String, "name": pl.String},
    )
    return log.join(routes, on=["method", "url"], how="left")


def external_lines(run: Run, log: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that came from outside: the generator's, by the run's trace id; all of them where none carries it."""
    ours = log.filter(pl.col("trace_run") == run.meta.get("trace_run"))
    return ours if ours.height else log


@dataclass(frozen=True, slots=True)
class _Beats:
    """One window, beat by beat: arrivals by name, CPU seconds and the beat's length."""

    counts: F8
    cpu_s: F8
    seconds: F8

    def shifted(self, shift: int) -> _Beats:
        """The same with CPU that comes `shift` beats late brought back."""
        return _Beats(aligned(self.counts, -shift), aligned(self.cpu_s, shift), aligned(self.seconds, shift))

    def binned(self) -> tuple[F8, F8, F8]:
        size = 1 if len(self.seconds) and self.seconds[0] >= LONG_BEAT_S else BIN_BEATS
        bins = len(self.cpu_s) // size
        counts, cpu_s, seconds = (
            v[: bins * size].reshape(bins, size, *v.shape[1:]).sum(axis=1) for v in (self.counts, self.cpu_s, self.seconds)
        )
        return counts, cpu_s, seconds


def _beats(hosts: pl.DataFrame, arrivals: pl.DataFrame, names: Sequence[str], steady: Sequence[Window]) -> list[_Beats]:
    """Cut the valid windows into sampler beats; spread each request over the time it was being served."""
    found = []
    for window in steady:
        rows = between(hosts, "at", window.start, window.end).filter(~pl.col("gap"))
        beats = rows.group_by("at", maintain_order=True).agg(
            cpu=(pl.col("cpu_user_s") + pl.col("cpu_system_s")).sum(), interval=pl.col("interval_s").max()
        )
        ends, seconds = _epoch_s(beats["at"]), beats["interval"].to_numpy().astype(float)
        found.append(_Beats(_spread(arrivals, names, ends - seconds, ends), beats["cpu"].to_numpy().astype(float), seconds))
    return found


def _bins(beats: Sequence[_Beats], names: Sequence[str]) -> tuple[F8, F8, F8, np.ndarray]:
    """Put beats into bins, and say of each bin which window it lies in."""
    counts, cpu_s, seconds, blocks = [np.zeros((0, len(names)))], [np.zeros(0)], [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for block, window in enumerate(beats):
        arrived, took, length = window.binned()
        counts.append(arrived)
        cpu_s.append(took)
        seconds.append(length)
        blocks.append(np.full(len(took), block))
    return np.concatenate(counts), np.concatenate(cpu_s), np.concatenate(seconds), np.concatenate(blocks)


def _spread(arrivals: pl.DataFrame, names: Sequence[str], starts: F8, ends: F8) -> F8:
    """Share out each request over the bins by the time that it was being served, shape (bins, names)."""
    counts = np.zeros((len(ends), len(names)))
    for column, name in enumerate(names):
        rows = arrivals.filter(pl.col("name") == name)
        done = _epoch_s(rows["at"])
        length = np.maximum(rows["target_s"].fill_null(0.0).to_numpy(), 1e-6)
        for row in range(len(ends)):
            overlap = np.minimum(ends[row], done) - np.maximum(starts[row], done - length)
            counts[row, column] = np.clip(overlap / length, 0.0, 1.0).sum()
    return counts


def _epoch_s(times: pl.Series) -> F8:
    seconds: F8 = times.dt.epoch("us").to_numpy().astype(float) / 1e6
    return seconds


def _inside(frame: pl.DataFrame, column: str, kept: Sequence[Window]) -> pl.DataFrame:
    if not kept:
        return frame.clear()
    return pl.concat([between(frame, column, w.start, w.end) for w in kept])


def _latencies(arrivals: pl.DataFrame, steady: Sequence[Window]) -> tuple[F8, F8]:
    values, loads = [np.zeros(0)], [np.zeros(0)]
    for window in steady:
        rows = between(arrivals, "created_at", window.start, window.end)
        answered = rows.drop_nulls("target_s")["target_s"].to_numpy()
        values.append(answered)
        loads.append(np.full(len(answered), rows.height / window.seconds))
    return np.concatenate(values), np.concatenate(loads)


def _memory(run: Run, hosts: pl.DataFrame, cut: Sequence[Window]) -> pl.DataFrame:
    """Return the class's processes rows, one a sample and group, with what was read and in which kind of window."""
    rows = run.processes.filter(pl.col("host").is_in(hosts["host"].unique().implode())).sort("at")
    kinds = [_kind_at(at, cut) for at in rows["at"]]
    return rows.select(
        "at",
        "host",
        "group",
        "color",
        "limit_bytes",
        "jvm_gc",
        "jvm_used_bytes",
        "jvm_live_bytes",
        "jvm_committed_bytes",
        "jvm_max_bytes",
        "jvm_metaspace_bytes",
        bytes=pl.coalesce("pss_bytes", "rss_bytes"),
        basis=pl.when(pl.col("pss_bytes").is_null()).then(pl.lit("rss")).otherwise(pl.lit("pss")),
    ).with_columns(kind=pl.Series(kinds, dtype=pl.String))


def _kind_at(at: datetime, cut: Sequence[Window]) -> str:
    return next((w.kind for w in cut if w.start < at <= w.end), "outside")


def _warnings(steady: Sequence[Window], shift: int) -> list[Warn]:
    found = []
    if not steady:
        message = "No window of the run is valid, so nothing can be fitted; sizeup runs show says why for each."
        found.append(Warn("no_valid_window", message))
    if shift:
        word = "late" if shift > 0 else "early"
        message = f"CPU was counted {abs(shift)} sampler beats {word} against the arrivals it served; it is fitted where it belongs."
        found.append(Warn("misaligned", f"{message} Compare the hosts' clocks."))
    return found
