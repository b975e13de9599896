"""What the processes table says of a host class: memory by group, and which group computes, in how many threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from evidence import Run
from sizing.types import Server, Window


def memory_samples(rows: pl.DataFrame, cut: Sequence[Window]) -> pl.DataFrame:
    """Return the class's processes rows, one a sample and group, with what was read and in which kind of window."""
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


def server_of(rows: pl.DataFrame, steady: Sequence[Window]) -> Server | None:
    """The group that took most CPU while the load was steady; None where no process was read then."""
    inside = [rows.filter((pl.col("at") > w.start) & (pl.col("at") <= w.end)) for w in steady]
    seen = pl.concat(inside) if inside else rows.clear()
    if seen.is_empty():
        return None
    # Two colours of one group are two copies only while a deployment runs, which is no steady window.
    most = seen.group_by("group").agg(pl.col("cpu_s").sum()).sort("cpu_s", "group", descending=[True, False])["group"][0]
    own = seen.filter((pl.col("group") == most) & (pl.col("pids") > 0))
    if own.is_empty():
        return None
    jvm = own["jvm_gc"].drop_nulls().len() > 0
    cpu_s, gc_s = float(own["cpu_s"].sum()), own["jvm_gc_s"].drop_nulls()
    processes = max(1, round(float(own["pids"].to_numpy().mean())))
    threads = float((own["threads"] / own["pids"]).to_numpy().mean())
    return Server(str(most), processes, round(threads, 1), jvm, float(gc_s.sum()) / cpu_s if len(gc_s) and cpu_s > 0 else None)


def hosts_from_processes(run: Run, host_class: str, vcpus: int) -> pl.DataFrame:
    """Rows as of the hosts table, from the groups' CPU, where a host's own row is missing; empty where no group was read."""
    names = [host_class, *(str(i["id"]) for i in run.topology.get("instances", []) if i.get("class") == host_class)]
    rows = run.processes.filter(pl.col("host").is_in(names))
    beats = rows.group_by("host", "at").agg(pl.col("cpu_s").sum()).sort("host", "at")
    beats = beats.with_columns(interval_s=(pl.col("at").diff().over("host").dt.total_microseconds() / 1e6)).drop_nulls("interval_s")
    return beats.select(
        "at",
        pl.col("interval_s").cast(pl.Float32),
        "host",
        pl.lit(host_class).alias("class"),
        pl.lit("process_group").alias("source"),
        pl.lit(vcpus, pl.Int16).alias("vcpus"),
        pl.col("cpu_s").alias("cpu_user_s"),
        pl.lit(0.0, pl.Float32).alias("cpu_system_s"),
        pl.lit(False).alias("gap"),
    )
