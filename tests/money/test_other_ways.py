"""The same service on Fargate and on Lambda, and the classes of database and cache that would do."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue import cache_nodes, database_classes, load_catalogue, read_rows
from sizing.managed import size_cache, size_database
from sizing.money import ServiceDemand, other_ways
from sizing.money.functions import memory_for
from sizing.money.units import cents

SEOUL = load_catalogue("ap-northeast-2")
MIB = 1024**2
API = ServiceDemand("api", peak_vcpus=0.4, memory_bytes=700 * MIB, mean_per_s=2.0, peak_per_s=20.0, duration_s=0.05)
DATABASE = {"id": "moco", "class": "db.t3.micro", "engine": "postgres", "multi_az": False, "storage_gib": 20, "storage_type": "gp3"}
CACHE = {"id": "moco", "class": "cache.t3.small", "engine": "redis", "nodes": 1}
QUIET = {
    "CPUUtilization": (2, 8),
    "FreeableMemory": (400 * MIB, 600 * MIB),
    "DatabaseConnections": (2, 10),
    "ReadIOPS": (0, 20),
    "WriteIOPS": (1, 30),
}
QUIET_CACHE = {"CPUUtilization": (1, 5), "BytesUsedForCache": (20 * MIB, 60 * MIB), "CurrConnections": (2, 12)}


def seen(namespace, dimension, told):
    """Two five-minute values of each metric."""
    rows = [
        (namespace, name, json.dumps({dimension: "moco"}), "Average", 300, float(value))
        for name, values in told.items()
        for value in values
    ]
    schema = {
        "namespace": pl.String,
        "metric": pl.String,
        "dimensions": pl.String,
        "statistic": pl.String,
        "period_s": pl.Int32,
        "value": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def database(**changed):
    return seen("AWS/RDS", "DBInstanceIdentifier", QUIET | changed)


def cache(**changed):
    return seen("AWS/ElastiCache", "CacheClusterId", QUIET_CACHE | changed)


def test_fargate_takes_the_cheapest_size_that_holds_the_peak():
    """Seoul, 730 hours: half a vCPU at 0.04656 and 1 GB at 0.00511."""
    fargate, _ = other_ways(API, SEOUL)

    assert fargate.size == "0.5 vCPU, 1 GB"
    assert fargate.monthly_usd == pytest.approx(730 * (Decimal("0.5") * Decimal("0.04656") + Decimal("0.00511")))
    assert fargate.source
    assert any("credits" in change for change in fargate.changes)


def test_lambda_is_billed_by_its_requests_and_one_vcpu_of_memory():
    """Two requests a second of 50 ms at 1,769 MB: 5,256,000 a month."""
    _, found = other_ways(API, SEOUL)

    gb_s = Decimal(5_256_000) * Decimal("0.05") * 1769 / 1024
    assert cents(found.monthly_usd) == cents((gb_s - 400_000) * Decimal("0.0000166667") + Decimal("4.256") * Decimal("0.20"))
    assert any("cold start" in change for change in found.changes)
    assert any("connections" in change for change in found.changes)


def test_what_no_function_holds_is_unknown():
    """10,240 MB are the most; nothing is guessed."""
    _, found = other_ways(ServiceDemand("api", 1, 20_000 * MIB, 1, 1, 0.1), SEOUL)

    assert (found.monthly_usd, memory_for(20_000 * MIB, 1)) == (None, None)
    assert "no size of lambda" in found.unknown.why


@given(st.floats(0.01, 30), st.floats(1 * MIB, 100_000 * MIB), st.floats(0.01, 30), st.floats(1 * MIB, 100_000 * MIB))
def test_a_larger_demand_never_costs_less_on_fargate(vcpus, memory, more_vcpus, more_memory):
    """Monotone in both."""
    small = other_ways(ServiceDemand("api", vcpus, memory, 1, 1, 0.1), SEOUL)[0].monthly_usd
    large = other_ways(ServiceDemand("api", vcpus + more_vcpus, memory + more_memory, 1, 1, 0.1), SEOUL)[0].monthly_usd

    assert small is None or large is None or small <= large


def test_a_quiet_database_stays_on_the_cheapest_class_that_holds_it():
    """624 MiB in use of 1 GiB, 10 connections: no class below the db.t3.micro is offered but the t4g one."""
    answer = size_database(database(), DATABASE, SEOUL)

    assert answer.verdict in ("oversized", "rightsized")
    assert answer.recommended.held.name in ("db.t4g.micro", "db.t3.micro")
    assert answer.recommended.monthly_usd <= SEOUL.rds("db.t3.micro", "postgres").usd * 730
    assert {bound.constraint for bound in answer.recommended.bounds} == {"cpu", "credits", "memory", "connections", "iops"}
    assert answer.recommended.price.source


@pytest.mark.parametrize(
    ("changed", "short"),
    [
        ({"CPUUtilization": (95, 99)}, "cpu"),
        ({"CPUUtilization": (15, 25)}, "credits"),
        ({"DatabaseConnections": (10, 300)}, "connections"),
    ],
)
def test_a_database_that_lacks_something_is_undersized_by_it(changed, short):
    """db.t3.micro: 2 vCPUs at a baseline of 10 %, about 90 connections."""
    answer = size_database(database(**changed), DATABASE, SEOUL)

    present = next(v for v in answer.candidates if v.held.name == "db.t3.micro")
    assert answer.verdict == "undersized"
    assert short in {bound.constraint for bound in present.bounds if bound.ok is False}
    assert answer.recommended is None or answer.recommended.fits is True


def test_iops_beyond_the_volume_fit_no_class():
    """gp3 under 400 GiB has 3,000 IOPS: a larger class doesn't help."""
    answer = size_database(database(ReadIOPS=(10, 2500), WriteIOPS=(10, 900)), DATABASE, SEOUL)

    assert (answer.verdict, answer.recommended) == ("undersized", None)


@pytest.mark.parametrize("missing", sorted(QUIET))
def test_a_database_without_one_of_its_metrics_is_unknown(missing):
    """A class whose metrics are missing is unknown."""
    answer = size_database(database(**{missing: ()}), DATABASE, SEOUL)

    assert (answer.verdict, answer.recommended) == ("unknown", None)
    assert missing in answer.unknown.why


def test_another_databases_metrics_are_not_taken_for_its_own():
    """Told by their dimension."""
    answer = size_database(database(), {**DATABASE, "id": "other"}, SEOUL)

    assert answer.verdict == "unknown"


def test_a_large_cache_with_little_in_it_is_oversized():
    """60 MiB of data: a cache.t3.small or t4g.micro of 512 MiB would do."""
    answer = size_cache(cache(), CACHE, SEOUL)

    assert answer.verdict == "oversized"
    assert answer.recommended.held.name.endswith(".micro")


def test_data_must_leave_a_quarter_of_the_memory_free():
    """ElastiCache user guide, "Managing reserved memory": 25 % by default; 500 MiB don't fit in 512."""
    answer = size_cache(cache(BytesUsedForCache=(400 * MIB, 500 * MIB)), CACHE, SEOUL)

    assert answer.recommended.held.memory_bytes * 0.75 >= 500 * MIB


@pytest.mark.parametrize("missing", sorted(QUIET_CACHE))
def test_a_cache_without_one_of_its_metrics_is_unknown(missing):
    """Unknown is said."""
    assert size_cache(cache(**{missing: ()}), CACHE, SEOUL).verdict == "unknown"


def test_classes_hold_what_the_guides_say():
    """RDS user guide, hardware specifications; ElastiCache user guide, node-type specific parameters and maxclients."""
    small, node = database_classes()["db.t3.small"], cache_nodes()["cache.t3.micro"]

    assert (small.vcpus, small.memory_bytes) == (2, 2048 * MIB)
    assert (node.memory_bytes, node.connections("Redis"), node.connections("Memcached")) == (536_870_912, 20_000, None)
    assert database_classes()["db.r3.large"].memory_bytes == 15_616 * MIB
    assert all(row["source"] for table in ("rds_classes", "cache_nodes") for row in read_rows(table))


@pytest.mark.parametrize(("name", "connections"), [("db.t2.small", 198), ("db.t2.medium", 413)])
def test_connections_are_as_two_classes_showed(name, connections):
    """A public gist of `show max_connections`; the formula of the RDS user guide with what RDS keeps for itself."""
    assert database_classes()[name].connections("PostgreSQL") == pytest.approx(connections, abs=2)


def test_connections_end_at_the_formulas_cap():
    """LEAST({DBInstanceClassMemory/9531392}, 5000); an engine without a formula here is unknown."""
    assert database_classes()["db.r5.24xlarge"].connections("PostgreSQL") == 5000
    assert database_classes()["db.r5.24xlarge"].connections("SQL Server") is None


def test_every_priced_class_and_node_is_known():
    """All of Seoul's; N. Virginia's x2g has no source."""
    for region in ("ap-northeast-2", "us-east-1"):
        classes = {row["item"] for row in read_rows("rds", region) if row["item"].startswith("db.")}
        nodes = {row["node_type"] for row in read_rows("elasticache", region)}
        assert {name for name in classes - database_classes().keys() if not name.startswith("db.x2g.")} == set()
        assert nodes <= cache_nodes().keys()
