"""What a machine shows beside its process groups: kernel and system memory, and its disks' bytes against the type's baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made_run import MIB, Truth, made_run
from made_service import Service, made_model, made_world

from sizeup.settings import load_settings
from sizing import Question, gather, judge, recommend
from sizing.model.machine import disk_use, system_parts

GROUPS = {"api": "moco-api", "frontend": "moco-frontend"}
TRUTH = Truth(rates=(4, 8, 12), step_s=40, deploy=False)


@pytest.fixture(scope="module")
def run():
    return made_run(TRUTH)


def of_api(run):
    rows = run.hosts["class"] == "api"
    return run.hosts.filter(rows), run.processes.filter(pl.col("host") == "api"), gather([run], "api", target_groups=GROUPS)


def test_a_whole_hosts_kernel_is_what_cannot_be_reclaimed_and_belongs_to_no_group(run):
    """1,910 MiB in all, 1,400 available, the group's 300 anonymous: 210 are the kernel's and the system's."""
    whole = replace(run, hosts=run.hosts.with_columns(
        source=pl.lit("agent"), mem_total_bytes=pl.lit(1910 * MIB), mem_available_bytes=pl.lit(1400 * MIB),
    ))  # fmt: skip

    parts = system_parts(*of_api(whole), 64, np.random.default_rng(0))

    assert [p.group for p in parts] == ["kernel_and_system", "page_cache_floor"]
    assert np.median(parts[0].bytes_draws) / MIB == pytest.approx(210)


def test_a_whole_host_needs_its_kernel_and_cache_beside_its_groups(seoul, run):
    whole = replace(run, hosts=run.hosts.with_columns(
        source=pl.lit("agent"), mem_total_bytes=pl.lit(1910 * MIB), mem_available_bytes=pl.lit(1400 * MIB),
    ))  # fmt: skip
    asked = Question(peak_per_s=(5, 5, 5), candidates=("t3.small",), classes=("api",), worlds=64)

    document = recommend([whole], load_settings(None), seoul, asked).as_json()

    memory = document["hosts"][0]["memory"]
    assert {p["group"] for p in memory["parts"]} == {"api", "kernel_and_system", "page_cache_floor"}
    assert memory["need_bytes"]["mid"] / MIB == pytest.approx(2 * 300 + 210 + 44, rel=0.03)


def test_a_process_trees_kernel_is_assumed_once(run):
    assert system_parts(*of_api(run), 64, np.random.default_rng(0)) == []


def test_the_bytes_of_a_request_are_told_from_those_of_the_host(run):
    """A log of 50,000 bytes a second, and 20,000 a request."""
    hosts = run.hosts.sort("at")
    step = ((hosts["at"] - hosts["at"][0]).dt.total_seconds() // 40).clip(0, 2)
    rate = pl.Series([TRUTH.rates[k] for k in step])
    moved = replace(run, hosts=hosts.with_columns(disk_read_bytes=pl.lit(0), disk_write_bytes=(50_000 + 20_000 * rate).cast(pl.Int64)))

    found = disk_use(*of_api(moved)[::2], 64, np.random.default_rng(0))

    assert np.median(found.bytes_per_arrival_draws) == pytest.approx(20_000, rel=0.15)
    assert np.median(found.background_bytes_per_s_draws) == pytest.approx(50_000, rel=0.5)


def test_disks_that_were_not_sampled_are_unknown_and_not_judged(seoul, run):
    asked = Question(peak_per_s=(5, 5, 5), candidates=("t3.small",), classes=("api",), worlds=64)

    found = recommend([run], load_settings(None), seoul, asked)

    assert found.as_json()["hosts"][0]["disk"] is None
    assert "hosts[0].disk" in {u["path"] for u in found.unknowns}
    assert found.hosts[0].recommendation.verdicts[0].bound("ebs") is None


def test_a_busy_disk_needs_the_type_that_carries_it(seoul):
    """15 requests a second of 1 MB are 120 Mbit/s; EC2 User Guide, EBS-optimized instances: t3.micro 87, t3.small 174."""
    found = judge(made_world(seoul, Service(demand_s=0.001, disk_bytes=1e6, peak_per_s=15)), confidence=0.9)

    ok = {v.candidate.type: v.bound("ebs").ok for v in found}
    assert (ok["t3.micro"], ok["t3.small"], ok["t2.micro"]) == (False, True, False)


def test_two_hosts_share_what_a_host_reads(seoul):
    one, two = (made_world(seoul, Service(disk_bytes=1e6, peak_per_s=15, zone=zone)) for zone in (False, True))
    both = replace(two, hosts_left=np.full_like(two.hosts_left, 2.0), model=made_model(Service(disk_bytes=1e6)))

    need = [next(v for v in judge(w, confidence=0.9) if v.candidate.type == "t3.small").bound("ebs").need for w in (one, both)]

    assert need[1] == pytest.approx(need[0] / 2)
