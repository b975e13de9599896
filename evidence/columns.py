"""What a run's tables hold: every column's name, type and whether it may be null (schema 1).

Plain data, standard library alone: the Locust worker, the samplers and the polars reader all import it.
A timestamp (`ts`) is UTC microseconds since 1970, in memory an int.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SCHEMA = "1"

Kind = Literal["ts", "i16", "i32", "i64", "f32", "f64", "str", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    nullable: bool = False


def _table(spec: str) -> tuple[Column, ...]:
    """Read lines of `kind name name? …`; a question mark makes the column nullable."""
    columns: list[Column] = []
    for line in spec.strip().splitlines():
        kind, *names = line.split()
        columns += [Column(name.rstrip("?"), kind, name.endswith("?")) for name in names]  # type: ignore[arg-type]  # the tables below are the only callers and a test holds their kinds
    return tuple(columns)


REQUESTS = _table("""
    i16 worker
    i32 seq
    ts intended_at
    i32 lateness_us wait_us ttfb_us? service_us response_us
    str name scenario host method
    i16 status
    str error?
    bool ok
    i32 request_bytes
    i64 response_bytes
""")

HOSTS = _table("""
    ts at
    f32 interval_s
    str host class source
    i16 vcpus
    f32 cpu_user_s cpu_system_s cpu_iowait_s? cpu_steal_s? cpu_idle_s?
    i64 mem_total_bytes? mem_available_bytes? mem_cached_bytes? swap_used_bytes?
    f32 psi_cpu_some_s? psi_mem_full_s? psi_io_full_s?
    i64 disk_read_bytes? disk_write_bytes? net_rx_bytes? net_tx_bytes?
    i32 oom_kills?
    f32 agent_cpu_s
    bool gap
""")

PROCESSES = _table("""
    ts at
    str host group color?
    i16 pids
    f32 cpu_s
    i64 rss_bytes rss_anon_bytes? pss_bytes?
    bool pss_estimated
    i32 threads fds? restarts
    i64 limit_bytes?
    str jvm_gc?
    i64 jvm_used_bytes? jvm_live_bytes? jvm_committed_bytes? jvm_max_bytes? jvm_metaspace_bytes?
    f32 jvm_gc_s?
""")

METRICS = _table("""
    ts at
    str namespace metric dimensions statistic
    i32 period_s
    f64 value
    str unit region
""")

EVENTS = _table("""
    ts at until?
    str kind subject detail
""")

TABLES: dict[str, tuple[Column, ...]] = {
    "requests": REQUESTS,
    "hosts": HOSTS,
    "processes": PROCESSES,
    "metrics": METRICS,
    "events": EVENTS,
}
