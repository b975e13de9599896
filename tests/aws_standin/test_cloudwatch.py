"""The stand-in's CloudWatch keeps the limits that AWS documents; real boto3 asks."""

from __future__ import annotations

import time

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from staging.aws import AwsWorld, MetricSeries, start_aws

DAY_S = 86_400


@pytest.fixture(scope="module")
def server():
    with start_aws(AwsWorld()) as stand_in:
        yield stand_in


@pytest.fixture
def world(server):
    server.world = AwsWorld()
    return server.world


@pytest.fixture(scope="module")
def cloudwatch(server):
    return boto3.client(
        "cloudwatch", region_name="ap-northeast-2", endpoint_url=server.url, aws_access_key_id="x", aws_secret_access_key="x",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )  # fmt: skip


@pytest.fixture
def now_s():
    return int(time.time()) // 3600 * 3600


def series(name, at_s, values=None, **dimensions):
    return MetricSeries("N", name, dimensions, np.asarray(at_s), np.ones(len(at_s)) if values is None else np.asarray(values, dtype=float))


def query(key="a", name="m", period_s=60, statistic="Sum", **dimensions):
    told = [{"Name": k, "Value": v} for k, v in dimensions.items()]
    metric = {"Namespace": "N", "MetricName": name, "Dimensions": told}
    return {"Id": key, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": statistic}}


def read(cloudwatch, queries, start_s, end_s, **more):
    return cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start_s, EndTime=end_s, ScanBy="TimestampAscending", **more)


@pytest.mark.parametrize(
    ("queries", "span_s", "more", "sentence"),
    [
        ([query(f"a{n}") for n in range(501)], 60, {}, "must not have a size greater than 500"),
        ([query("a"), query("a")], 60, {}, "values for parameter id in MetricDataQueries are not unique"),
        ([query("A")], 60, {}, "The value A for parameter MetricDataQueries.member.1.Id"),
        ([query(period_s=90)], 60, {}, "must be a multiple of 60"),
        ([query(statistic="Median")], 60, {}, "The value Median for parameter MetricStat.Stat is not supported"),
        ([query()], 0, {}, "StartTime must be less than the parameter EndTime"),
        ([query()], 60, {"MaxDatapoints": 100_801}, "less than or equal to 100800"),
    ],
)
def test_what_cloudwatch_refuses_is_a_validation_error(world, cloudwatch, now_s, queries, span_s, more, sentence):
    """GetMetricData: 500 queries, 100,800 points."""
    world.metrics = [series("m", [now_s - 120])]

    with pytest.raises(ClientError, match=sentence) as refused:
        read(cloudwatch, queries, now_s - 120, now_s - 120 + span_s, **more)

    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_more_points_than_a_call_returns_come_in_pages(world, cloudwatch, now_s):
    """100,800 points a call; a result that goes on is PartialData."""
    world.metrics = [series(f"m{n}", np.arange(now_s - 14 * DAY_S, now_s, 60)) for n in range(6)]
    queries = [query(f"m{n}", f"m{n}") for n in range(6)]

    first = read(cloudwatch, queries, now_s - 14 * DAY_S, now_s)
    second = read(cloudwatch, queries, now_s - 14 * DAY_S, now_s, NextToken=first["NextToken"])

    assert [len(result["Values"]) for result in first["MetricDataResults"]] == [20_160] * 5 + [0]
    assert {result["StatusCode"] for result in first["MetricDataResults"][:4]} == {"Complete"}
    assert first["MetricDataResults"][5]["StatusCode"] == "PartialData"
    assert len(second["MetricDataResults"][5]["Values"]) == 20_160
    assert "NextToken" not in second
    with pytest.raises(ClientError, match="pagination token"):
        read(cloudwatch, queries, now_s - DAY_S, now_s, NextToken="made up")


@pytest.mark.parametrize(("age_days", "kept"), [(14, {60, 300, 3600}), (16, {300, 3600}), (64, {3600}), (456, set())])
def test_old_samples_are_kept_by_longer_periods_only(world, cloudwatch, now_s, age_days, kept):
    """60 s for 15 days, 300 s for 63, 3,600 s for 455: another period finds nothing there."""
    at_s = now_s - age_days * DAY_S
    world.metrics = [series("m", [at_s])]

    found = {period for period in (60, 300, 3600) if _values(read(cloudwatch, [query(period_s=period)], at_s, at_s + 3600))}

    assert found == kept


def _values(answer):
    return answer["MetricDataResults"][0]["Values"]


def test_samples_of_a_period_are_put_together_and_a_gap_is_no_point(world, cloudwatch, now_s):
    start_s = now_s - 3600
    world.metrics = [series("m", start_s + np.array([0, 60, 120, 600]), [1, 2, 6, 5])]

    sums, highest = (_values(read(cloudwatch, [query(period_s=300, statistic=s)], start_s, now_s)) for s in ("Sum", "Maximum"))
    answer = read(cloudwatch, [query(period_s=300)], start_s, now_s)["MetricDataResults"][0]

    assert (sums, highest) == ([9, 5], [6, 5])
    assert [int(at.timestamp()) - start_s for at in answer["Timestamps"]] == [0, 600]
    assert (answer["Label"], answer["StatusCode"]) == ("m", "Complete")


def test_metrics_are_listed_by_namespace_name_and_dimensions(world, cloudwatch, now_s):
    world.metrics = [series("m", [now_s], Host="a"), series("m", [now_s], Host="b"), series("n", [now_s], Host="a")]

    of_a = cloudwatch.list_metrics(Namespace="N", MetricName="m", Dimensions=[{"Name": "Host", "Value": "a"}])["Metrics"]

    assert of_a == [{"Namespace": "N", "MetricName": "m", "Dimensions": [{"Name": "Host", "Value": "a"}]}]
    assert len(cloudwatch.list_metrics(Namespace="N")["Metrics"]) == 3
    assert cloudwatch.list_metrics(Namespace="other")["Metrics"] == []
