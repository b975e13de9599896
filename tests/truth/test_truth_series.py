"""Thread sweeps of real machines and public monitoring series against sizing.model."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import numpy as np
import pytest
from truth_cases import HERE, agrees, case, of_kind

from sizing.model.series import series_shape
from sizing.model.threads import SECOND_THREAD, thread_sweep, threads_capacity, undisturbed_cpu_s


def columns(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return zip(*csv.reader(file), strict=True)


@pytest.mark.parametrize("told", of_kind("scaling_knee"), ids=lambda c: c["id"])
def test_the_knee_of_a_sweep_lies_at_the_cores(told):
    """Spare Cores: the second hyper-thread of c5 adds 32 %, that of c6i 2 %; Graviton's vCPUs are cores."""
    asked = told["inputs"]
    threads, throughput = (np.array(column, dtype=float) for column in columns(asked["file"]))

    sweep = thread_sweep(threads, throughput, asked["physical_cores"], asked["vcpus"])

    found = {
        "points": len(threads), "x1": sweep.one, "x_cores": sweep.at_cores, "x_vcpus": sweep.at_vcpus,
        "eff_at_cores": sweep.efficiency_at_cores, "eff_at_vcpus": sweep.efficiency_at_vcpus,
        "smt_gain": sweep.gain, "monotone": sweep.rises,
    }  # fmt: skip
    assert agrees(told["expected"], found, told["tolerance"])
    assert not sweep.throttled


def test_two_threads_slower_than_one_are_a_throttled_machine():
    """A t2.medium whose credits were gone: no scaling law may be fitted to that."""
    told = case("F-t2medium-retrograde")
    asked = told["inputs"]

    sweep = thread_sweep(np.array([1, 2]), np.array([asked["x1"], asked["x2"]]), 2, 2)

    found = {"ratio": sweep.at_vcpus / sweep.one, "of_earlier": sweep.at_vcpus / asked["earlier_two_thread"]}
    assert agrees(told["expected"], found, told["tolerance"])
    assert sweep.throttled
    assert not sweep.rises


@pytest.mark.parametrize("told", of_kind("series_stats"), ids=lambda c: c["id"])
def test_a_public_series_has_the_shape_that_its_keepers_published(told):
    """Numenta Anomaly Benchmark: five-minute averages with clock faults, gaps and rows that are there twice."""
    (_, *times), (_, *values) = columns(told["inputs"]["file"])
    at = [datetime.fromisoformat(t).replace(tzinfo=UTC) for t in times]

    shape = series_shape(np.array([t.timestamp() for t in at]), np.array(values, dtype=float))

    found = {
        "rows": shape.rows, "first": f"{at[0]:%Y-%m-%d %H:%M:%S}", "last": f"{at[-1]:%Y-%m-%d %H:%M:%S}", "step_s": shape.step_s,
        "gaps": shape.gaps, "duplicates": shape.duplicates, "missing_samples": shape.missing, "max_gap_s": shape.max_gap_s,
        "min": shape.lowest, "max": shape.highest, "mean": shape.mean, "p95": shape.p95,
    }  # fmt: skip
    assert agrees(told["expected"], found, told["tolerance"])


def test_one_row_has_no_step():
    with pytest.raises(ValueError, match="two rows"):
        series_shape(np.zeros(1), np.zeros(1))


def test_two_threads_of_a_core_are_never_two_cores():
    second = np.linspace(*SECOND_THREAD, 5)

    assert threads_capacity(2, 2, second).max() < 1.5
    assert threads_capacity(2, 1, second).tolist() == [2.0] * 5


def test_work_measured_on_a_busy_core_is_less_than_its_seconds():
    """Both threads full: two CPU seconds did the work of 1.3. On an idle one hardly any meet."""
    work = undisturbed_cpu_s(np.array([2.0, 0.002]), np.ones(2), 2, 2, np.array([0.3]))

    assert work[0, 0] == pytest.approx(1.3, rel=0.01)
    assert work[1, 0] == pytest.approx(0.002, rel=0.01)
