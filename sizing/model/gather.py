"""From a run's tables to what one host class was asked for and what it took, bin by bin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from evidence import Run, SizeupError, Warn
from sizing.model.alignment import aligned, shift_beats
from sizing.model.arrivals import epoch_s, external_lines, named_log, served_in
from sizing.model.monitored import balancer_counts, gaps_words, hosts_from_metrics, instance_types, mean_latency_s, vcpus_of
from sizing.model.processes import hosts_from_processes, memory_samples, server_of
from sizing.model.warmup import warm_bins
from sizing.model.windows import between, windows
from sizing.types import F8, Evidence, Window

# Shorter bins follow the load's own Poisson swings, longer ones blur where a request's CPU fell; 1 s is the sampler's beat.
BIN_BEATS = 2
LONG_BEAT_S = 10.0
"""Beats of a monitor, not of the sampler: each is a bin by itself."""
MOST_BINS = 500
"""A fortnight of five-minute averages says no less by the half hour, and is fitted in a second."""
ALL = "*"
"""The name of requests that were only counted, not logged."""


def gather(
    runs: Sequence[Run], host_class: str, *, target_groups: Mapping[str, str] | None = None, latency_limit_s: float = 0.5
) -> Evidence:
    """Read what `runs` say of one host class.

    Parameters
    ----------
    runs : Sequence[Run]
        Opened runs of one target; the newest leads where only one can be used (memory basis, windows).
    target_groups : Mapping[str, str], optional
        Host class to target group name, as the load balancer logs it; else what the newest run's topology says.

    Notes
    -----
    CPU is the hosts table's; without a row of the class there, its process groups'; without those, CloudWatch's averages.
    Requests are the access log's; without a line for the class, the target group's counts in CloudWatch.

    Raises
    ------
    SizeupError
        Where no run knows the class.
    """
    run = runs[0]
    hosts = host_rows(run, host_class)
    cut = windows(run, latency_limit_s)
    if hosts.height and hosts["source"][0] == "cloudwatch":
        cut = _whole(run, hosts, cut)
    log, group = named_log(run), (topology_groups(run) if target_groups is None else target_groups).get(host_class)
    arrivals = log.filter(pl.col("target_group") == pl.lit(group, pl.String))
    steady = [w for w in cut if w.kind == "steady" and w.valid]
    counted = _logged(run, log, arrivals, steady) if arrivals.height else _counted(run, group, hosts)
    beats = _beats(hosts, counted, steady)
    shift = shift_beats([b.counts.sum(axis=1) for b in beats], [b.cpu_s for b in beats])
    counts, cpu_s, seconds, blocks = _bins([b.shifted(shift) for b in beats], counted.names)
    warm, dearer = warm_bins(counts.sum(axis=1), cpu_s, seconds, blocks)
    latency_s, latency_load = _latencies(arrivals, steady)
    total_s = sum(w.seconds for w in cut if w.kind != "deploy") or 1.0
    named = [host_class, *(name for name, _ in instance_types(run, host_class)), *hosts["host"].unique()]
    own = run.processes.filter(pl.col("host").is_in(named))
    return Evidence(
        host_class=host_class,
        windows=cut,
        names=counted.names,
        counts=counts[warm],
        cpu_s=cpu_s[warm],
        seconds=seconds[warm],
        blocks=blocks[warm],
        memory=memory_samples(own.sort("at"), cut),
        latency_s=latency_s,
        latency_load=latency_load,
        arrivals_per_external=counted.per_external,
        errors=counted.errors,
        requests=counted.requests,
        highest_external_per_s=max((w.offered_per_s for w in steady), default=0.0),
        bytes_per_request=counted.bytes_per_request,
        hosts=max(int(hosts["host"].n_unique()), 1),
        vcpus=int(hosts["vcpus"][0]) if hosts.height else 1,
        source=str(hosts["source"][0]) if hosts.height else "none",
        deployments=run.events.filter((pl.col("kind") == "deploy") & (pl.col("subject") == host_class)).height,
        excluded_ratio=1.0 - (sum(w.seconds for w in steady) - float(seconds[~warm].sum())) / total_s,
        quality=(),
        warnings=(*_warnings(steady, hosts, shift, float(seconds[~warm].sum()), dearer), *counted.warnings),
        runs=[r.id for r in runs],
        synthetic=any(r.synthetic for r in runs),
        server=server_of(own, steady),
        mean_latency_s=counted.mean_latency_s,
    )


def topology_groups(run: Run) -> dict[str, str]:
    """Host class to target group, as the run's topology has it."""
    return {g["class"]: g["name"] for g in run.topology.get("target_groups", []) if g.get("class")}


def host_rows(run: Run, host_class: str) -> pl.DataFrame:
    """CPU of the class's hosts, beat by beat, from the best source that the run has.

    Raises
    ------
    SizeupError
        Where no table and no topology names the class.
    """
    hosts = run.hosts.filter(pl.col("class") == host_class).sort("at")
    if hosts.height:
        return hosts
    vcpus = vcpus_of(run, host_class)
    grouped = hosts_from_processes(run, host_class, vcpus or 1)
    if grouped.height:
        return grouped
    if vcpus is None and (types := sorted({kind for _, kind in instance_types(run, host_class)})):
        lacks = f"catalogue.json doesn't have {', '.join(types)}, which class {host_class!r} runs on, so CPU averages say nothing"
        raise SizeupError(f"run {run.id}: {lacks}; run sizeup prices refresh, then collect or load again.")
    if vcpus is None:
        known = ", ".join(sorted(set(run.hosts["class"]))) or "none"
        raise SizeupError(
            f"run {run.id}: hosts.parquet has no sample of class {host_class!r} (it has: {known}); load again with a sampler there."
        )
    return hosts_from_metrics(run, host_class, vcpus)


def _whole(run: Run, hosts: pl.DataFrame, cut: Sequence[Window]) -> list[Window]:
    """One window over all of a monitor's periods: steps of minutes are too short for averages of five."""
    interval = timedelta(seconds=float(hosts["interval_s"].to_numpy().max()))
    start, end = hosts["at"].to_list()[0] - interval, hosts["at"].to_list()[-1]
    counts = balancer_counts(run, "RequestCount", balancer=True)
    highest = max([w.offered_per_s for w in cut if w.valid] + [float(v) for v in counts.value / counts.period_s], default=0.0)
    return [Window("monitored", start, end, "steady", highest, 0.0, True, "")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a class was asked for: names, requests of each for one from outside, and what the balancer says of answers."""

    names: Sequence[str]
    per_external: F8
    errors: int
    requests: int
    bytes_per_request: float
    mean_latency_s: float | None
    inside: Callable[[F8, F8], F8]
    """Starts and ends of bins to shape (bins, names)."""
    warnings: Sequence[Warn] = ()


def _logged(run: Run, log: pl.DataFrame, arrivals: pl.DataFrame, steady: Sequence[Window]) -> _Asked:
    names = [str(n) for n in arrivals["name"].value_counts(sort=True)["name"]]
    external = _inside(external_lines(run, log), "created_at", steady)
    inside = _inside(arrivals, "created_at", steady)
    return _Asked(
        names,
        np.array([(inside["name"] == n).sum() for n in names], dtype=float) / max(external.height, 1),
        int((inside["status"] >= 500).sum()),
        inside.height,
        float(inside["sent_bytes"].to_numpy().mean()) if inside.height else 0.0,
        None,
        lambda starts, ends: served_in(arrivals, names, starts, ends),
    )


def _counted(run: Run, group: str | None, hosts: pl.DataFrame) -> _Asked:
    requests, means = balancer_counts(run, "RequestCount", group), balancer_counts(run, "TargetResponseTime", group)
    total = float(balancer_counts(run, "RequestCount", balancer=True).value.sum())
    failed = float(balancer_counts(run, "HTTPCode_Target_5XX_Count", group).value.sum())
    came = float(requests.value.sum())
    over = f"CloudWatch counts {failed:,.0f} failed answers to {came:,.0f} requests of {group}: every request is taken as failed."
    return _Asked(
        [ALL] if came else [],
        np.full(1 if came else 0, came / total if total else 1.0),
        round(min(failed, came)),
        round(came),
        0.0,
        mean_latency_s(requests, means),
        lambda starts, ends: requests.inside(starts, ends)[:, None] if came else np.zeros((len(ends), 0)),
        (Warn("errors_over_requests", over),) if failed > came else (),
    )


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
        size = BIN_BEATS if len(self.seconds) and self.seconds[0] < LONG_BEAT_S else max(1, len(self.seconds) // MOST_BINS)
        bins = len(self.cpu_s) // size
        counts, cpu_s, seconds = (
            v[: bins * size].reshape(bins, size, *v.shape[1:]).sum(axis=1) for v in (self.counts, self.cpu_s, self.seconds)
        )
        return counts, cpu_s, seconds


def _beats(hosts: pl.DataFrame, asked: _Asked, steady: Sequence[Window]) -> list[_Beats]:
    """Cut the valid windows into sampler beats; spread each request over the time it was being served."""
    found = []
    for window in steady:
        rows = between(hosts, "at", window.start, window.end).filter(~pl.col("gap"))
        beats = rows.group_by("at", maintain_order=True).agg(
            cpu=(pl.col("cpu_user_s") + pl.col("cpu_system_s")).sum(), interval=pl.col("interval_s").max()
        )
        ends, seconds = epoch_s(beats["at"]), beats["interval"].to_numpy().astype(float)
        found.append(_Beats(asked.inside(ends - seconds, ends), beats["cpu"].to_numpy().astype(float), seconds))
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


def _warnings(steady: Sequence[Window], hosts: pl.DataFrame, shift: int, warm_s: float, dearer: float) -> list[Warn]:
    found = []
    if not steady:
        message = "No window of the run is valid, so nothing can be fitted; sizeup runs show says why for each."
        found.append(Warn("no_valid_window", message))
    if shift:
        word = "late" if shift > 0 else "early"
        message = f"CPU was counted {abs(shift)} sampler beats {word} against the arrivals it served; it is fitted where it belongs."
        found.append(Warn("misaligned", f"{message} Compare the hosts' clocks."))
    if warm_s:
        message = f"The first {warm_s:.0f} s of the windows cost {dearer:.1f} times what later requests did (warm-up); they are left out."
        found.append(Warn("warm_up", message))
    if hosts.is_empty():
        message = "No CPU was read, neither on the hosts nor by CloudWatch: of a request's CPU is only known that it takes no longer than"
        found.append(Warn("no_cpu", f"{message} the request. sizeup collect reads CPUUtilization, an agent on the host more."))
    if hosts.height and hosts["source"][0] == "cloudwatch":
        gaps = gaps_words(hosts)
        message = f"CPU is CloudWatch's averages of {hosts['interval_s'][0]:.0f} s over the whole host: demand is as wide as they leave it."
        found.append(Warn("monitor_only", f"{message} {gaps}" if gaps else message))
    return found
