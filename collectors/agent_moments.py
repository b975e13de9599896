"""A host agent's spool as the moments of a look: what the host held at each beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from collectors.agent import OWN_GROUP
from collectors.agent_spool import SpoolRows, read_spool_rows
from collectors.memory import LookMoment
from evidence import SizeupError
from sizing.jvm import JvmMemory
from sizing.look import GroupMemory, HostMemory, merge_small, page_cache_floor

ARCH = {"aarch64": "arm64"}

Row = Mapping[str, Any]


def spool_moments(folder: Path) -> tuple[list[LookMoment], str]:
    """Return a moment for each beat of a spool, and the host's architecture as EC2 names it.

    Raises
    ------
    SizeupError
        Where the spool holds no beat.
    """
    rows = read_spool_rows(folder)
    if not rows.hosts:
        raise SizeupError(f"{folder}: the agent wrote no beat; watch for longer with --seconds.")
    machine = str(rows.head["arch"])
    return list(_moments(rows)), ARCH.get(machine, machine)


def _moments(rows: SpoolRows) -> Iterator[LookMoment]:
    groups = {at: list(found) for at, found in groupby(rows.processes, key=lambda row: row["at"])}
    start_us = rows.hosts[0]["at"] - round(rows.hosts[0]["interval_s"] * 1e6)
    for host in rows.hosts:
        found = groups.get(host["at"], [])
        yield LookMoment(_host_memory(host, found, (host["at"] - start_us) / 1e6), [dict(host)], [dict(row) for row in found])


def _host_memory(host: Row, groups: Sequence[Row], seconds: float) -> HostMemory:
    """Put a beat's figures together. The agent itself is counted for the kernel's share, then left out."""
    held = [_group(row) for row in groups]
    unmapped = host["cache_unmapped_bytes"]
    system = host["mem_total_bytes"] - host["mem_free_bytes"] - unmapped - sum(group.held_bytes for group in held)
    return HostMemory(
        host=host["host"], seconds=round(seconds, 1), total_bytes=host["mem_total_bytes"],
        available_bytes=host["mem_available_bytes"] or host["mem_free_bytes"] + unmapped, system_bytes=max(0, system),
        page_cache_floor_bytes=page_cache_floor(host["cache_active_bytes"]),
        groups=merge_small([group for group in held if group.group != OWN_GROUP]),
    )  # fmt: skip


def _group(row: Row) -> GroupMemory:
    return GroupMemory(row["group"], row["color"], row["pids"], row["pss_bytes"], row["rss_bytes"], _jvm(row))


def _jvm(row: Row) -> JvmMemory | None:
    if row["jvm_gc"] is None:
        return None
    return JvmMemory(
        gc=row["jvm_gc"], used_bytes=row["jvm_used_bytes"], live_bytes=row["jvm_live_bytes"], committed_bytes=row["jvm_committed_bytes"],
        max_bytes=row["jvm_max_bytes"], metaspace_bytes=row["jvm_metaspace_bytes"],
    )  # fmt: skip
