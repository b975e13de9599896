"""CloudWatch read as planned from an account with AWS's limits and faults: the same rows whatever goes wrong, none of them invented."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_account import instance, made_series, topology

from collectors import cloudwatch_bill, cloudwatch_read, planned_metrics
from collectors.aws import AwsError
from collectors.metric_plan import DAY_S
from collectors.sources import cloudwatch
from collectors.sources.cloudwatch import gather_cloudwatch
from evidence import TABLES, open_run, tidy
from sizing.model.series import series_shape
from staging.aws import MetricSeries, Trouble
from staging.aws.services.cloudwatch import billed_metrics

TRACES = Path(__file__).parents[1] / "truth"
KEY = [column.name for column in TABLES["metrics"] if column.name != "value"]


@pytest.fixture
def now_s():
    return int(datetime.now(UTC).timestamp()) // 300 * 300 - 600


def answered(aws):
    """The calls of GetMetricData that got an answer."""
    return [asked.arguments for asked in aws.answered if asked.action == "cloudwatch:GetMetricData"]


def rows_of(asked):
    tidy(asked.folder, ["metrics"])
    return open_run(asked.folder).metrics


def test_forty_metrics_of_a_fortnight_cost_what_was_said_also_where_aws_fails(aws, asking, now_s):
    """30 % throttled and 10 % broken: the same file, byte for byte; billed metrics and calls as printed before."""
    span, stack = (now_s - 14 * DAY_S, now_s), topology(groups=4)
    aws.world.metrics = made_series(stack, *span, every_s=1800)
    files = []
    for name, trouble in (("calm", Trouble()), ("rough", Trouble(seed=5, throttle_ratio=0.3, fail_ratio=0.1))):
        aws.world.trouble, asked = trouble, asking(stack, span, name)
        aws.calls.clear()
        aws.answered.clear()
        said = cloudwatch_bill(stack, asked.start, asked.end, datetime.now(UTC))
        gather_cloudwatch(asked)
        tidy(asked.folder, ["metrics"])
        files.append((asked.folder / "metrics.parquet").read_bytes())

        assert (said.metrics, said.billed, said.calls) == (40, 40, 11)
        assert len(answered(aws)) == said.calls
        assert sum(billed_metrics(call["MetricDataQueries"]) for call in answered(aws)) == said.billed
        assert cloudwatch_read(stack, asked.folder).billed == said.billed

    assert len(aws.calls) > 11
    assert files[0] == files[1]


def test_every_sample_is_there_once_and_a_gap_is_no_row(aws, asking, now_s):
    """As made: 12 of 61 minutes have a sample, each statistic of one sample is its value."""
    span, stack = (now_s - 3600, now_s), topology(groups=1)
    aws.world.metrics = made_series(stack, *span, every_s=300)

    gather_cloudwatch(asked := asking(stack, span))

    table = rows_of(asked)
    made = {
        (s.name, json.dumps(dict(s.dimensions), sort_keys=True)): dict(zip(s.at_s.tolist(), s.values, strict=True))
        for s in aws.world.metrics
    }
    assert table.height == 12 * sum(len(m.kind.statistics) for m in planned_metrics(stack))
    assert all(made[row["metric"], row["dimensions"]][int(row["at"].timestamp())] == row["value"] for row in table.iter_rows(named=True))
    assert set(table["period_s"]) == {60}


@pytest.mark.parametrize(
    "trouble", [Trouble(duplicate_ratio=0.3), Trouble(is_shuffled=True), Trouble(duplicate_ratio=0.5, is_shuffled=True, silence_ratio=0.2)]
)
@pytest.mark.parametrize("page", [100_800, 37])
def test_points_told_twice_in_disorder_or_in_many_pages_are_the_same_rows(aws, asking, now_s, trouble, page):
    span, stack = (now_s - 1800, now_s), topology(groups=0)
    aws.world.metrics = made_series(stack, *span)
    gather_cloudwatch(calm := asking(stack, span, "calm"))

    aws.world.trouble, aws.world.points_a_page = trouble, page
    gather_cloudwatch(rough := asking(stack, span, "rough"))

    assert rows_of(rough).equals(rows_of(calm))


def test_what_is_lost_stays_a_gap(aws, asking, now_s):
    """A fifth of the samples never arrived: nothing stands in their place."""
    span, stack = (now_s - 6 * 3600, now_s), topology(groups=0)
    aws.world.metrics = made_series(stack, *span)
    gather_cloudwatch(whole := asking(stack, span, "whole"))

    aws.world.trouble = Trouble(missing_ratio=0.2)
    gather_cloudwatch(torn := asking(stack, span, "torn"))

    found, all_of_it = rows_of(torn), rows_of(whole)
    assert found.height == pytest.approx(0.8 * all_of_it.height, rel=0.1)
    assert found.join(all_of_it, on=[*KEY, "value"], how="anti").is_empty()


def test_an_answer_that_is_incomplete_is_asked_for_again_and_never_kept(aws, asking, now_s, monkeypatch):
    """MetricDataResult, StatusCode InternalError; where it stays so, that is a sentence."""
    monkeypatch.setattr(cloudwatch, "INCOMPLETE_PAUSE_S", 0.01)
    span, stack = (now_s - 3600, now_s), topology(groups=0)
    aws.world.metrics = made_series(stack, *span)
    gather_cloudwatch(calm := asking(stack, span, "calm"))

    aws.world.trouble.incomplete = 2
    gather_cloudwatch(rough := asking(stack, span, "rough"))
    aws.world.trouble.incomplete = 9
    with pytest.raises(AwsError, match="CloudWatch answers with InternalError every time"):
        gather_cloudwatch(never := asking(stack, span, "never"))

    assert rows_of(rough).equals(rows_of(calm))
    assert rows_of(never).is_empty()


def test_a_span_over_all_ages_is_read_by_the_finest_period_that_each_age_keeps(aws, asking, now_s):
    """60 s for 15 days, 300 s for 63, 3,600 s for 455; counts add up, credits are five-minute from the start."""
    span = now_s - 80 * DAY_S, now_s
    stack = topology(groups=0, instances=[instance(credits="standard")])
    aws.world.metrics = made_series(stack, span[0] - 3600, now_s, every_s=1800)

    gather_cloudwatch(asked := asking(stack, span))

    table = rows_of(asked)
    age = pl.lit(datetime.fromtimestamp(now_s, UTC)) - pl.col("at")
    counts, credits = (table.filter(pl.col("metric") == name) for name in ("RequestCount", "CPUCreditUsage"))
    oldest = counts.group_by("period_s").agg(age.max().dt.total_seconds() / DAY_S).sort("period_s").rows()
    made = next(s for s in aws.world.metrics if s.name == "RequestCount")
    first_s = int(counts["at"].min().timestamp())
    assert oldest == [(60, pytest.approx(15, abs=0.1)), (300, pytest.approx(63, abs=0.1)), (3600, pytest.approx(80, abs=0.1))]
    assert counts["value"].sum() == pytest.approx(made.values[made.at_s >= first_s].sum())
    assert set(credits["period_s"]) == {300, 3600}


def test_a_metric_of_several_samples_a_period_has_its_percentiles(aws, asking, now_s):
    """numpy's percentiles of the same samples."""
    span, stack = (now_s - 600, now_s), topology(groups=0)
    at_s = np.repeat(np.arange(span[0], span[1], 60), 20)
    values = np.random.default_rng(1).exponential(0.1, len(at_s))
    aws.world.metrics = [MetricSeries("AWS/ApplicationELB", "TargetResponseTime", {"LoadBalancer": "app/moco/1"}, at_s, values, "Seconds")]

    gather_cloudwatch(asked := asking(stack, span))

    table = rows_of(asked).sort("at")
    found = {name: table.filter(pl.col("statistic") == name)["value"].to_list() for name in ("Average", "p50", "p90", "p99")}
    samples = values.reshape(10, 20)
    assert found["Average"] == pytest.approx(samples.mean(axis=1).tolist())
    assert found["p99"] == pytest.approx(np.percentile(samples, 99, axis=1).tolist())
    assert {len(each) for each in found.values()} == {10}


@pytest.mark.parametrize("page", [100_800, 500])
def test_expired_credentials_keep_what_was_read_and_nothing_is_asked_for_twice(aws, asking, now_s, page):
    """In the middle of a call's pages too: it goes on with the page that comes next."""
    span, stack = (now_s - 14 * DAY_S, now_s), topology(groups=4)
    aws.world.metrics = made_series(stack, *span, every_s=7200)
    aws.world.points_a_page = page
    gather_cloudwatch(first := asking(stack, span, "whole"))
    whole, calls = rows_of(first), len(answered(aws))
    aws.calls.clear()
    aws.answered.clear()
    aws.world.trouble.expire_after = calls // 2

    asked = asking(stack, span, "torn")
    with pytest.raises(AwsError, match="expired at cloudwatch:GetMetricData"):
        gather_cloudwatch(asked)
    kept = rows_of(asked)
    aws.world.trouble.expire_after = None
    gather_cloudwatch(asked)

    asked_for = Counter(json.dumps(call, sort_keys=True) for call in answered(aws))
    assert 0 < kept.height < whole.height
    assert rows_of(asked).equals(whole)
    assert max(asked_for.values()) == 1
    assert len(answered(aws)) == calls


def test_a_page_whose_token_has_expired_is_read_from_the_calls_start(aws, asking, now_s):
    span, stack = (now_s - 3600, now_s), topology(groups=0)
    aws.world.metrics, aws.world.points_a_page = made_series(stack, *span), 100
    gather_cloudwatch(whole := asking(stack, span, "whole"))
    aws.calls.clear()
    aws.world.trouble.expire_after = 3
    asked = asking(stack, span, "torn")
    with pytest.raises(AwsError):
        gather_cloudwatch(asked)

    aws.world.trouble.expire_after, aws.world.generation = None, 1
    gather_cloudwatch(asked)

    assert rows_of(asked).equals(rows_of(whole))


@pytest.mark.parametrize(
    ("told", "name"),
    [("nab_ec2_cpu_utilization_24ae8d", "CPUUtilization"), ("nab_rds_cpu_utilization_e47b3b", "CPUUtilization"),
     ("nab_ec2_disk_write_bytes_1ef3de", "NetworkOut")],
)  # fmt: skip
def test_a_public_trace_comes_through_with_its_gaps(aws, asking, now_s, told, name):
    """Numenta Anomaly Benchmark, realAWSCloudwatch (tests/truth/data): five-minute values, moved to the last fortnight."""
    with (TRACES / "data" / f"{told}.csv").open(encoding="utf-8", newline="") as file:
        _, *lines = csv.reader(file)
    stamps = np.array([int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) for at, _ in lines]) // 300 * 300
    values = dict(zip(stamps.tolist(), (float(value) for _, value in lines), strict=True))
    shift = now_s - 300 - stamps.max()
    at_s = np.array(sorted(values)) + shift
    trace = np.array([values[t - shift] for t in at_s.tolist()])
    aws.world.metrics = [MetricSeries("AWS/EC2", name, {"InstanceId": "i-1"}, at_s, trace, "Percent", 300)]
    stack = topology(groups=0, instances=[instance(monitoring="basic")])

    gather_cloudwatch(asked := asking(stack, (int(at_s.min()), now_s)))

    table = rows_of(asked)
    seen = series_shape(table["at"].dt.epoch("s").to_numpy().astype(float), table["value"].to_numpy())
    made = series_shape(at_s.astype(float), trace)
    assert (seen.rows, seen.gaps, seen.missing, seen.max_gap_s) == (made.rows, made.gaps, made.missing, made.max_gap_s)
    assert (seen.lowest, seen.highest) == (made.lowest, made.highest)
    assert seen.mean == pytest.approx(made.mean)
