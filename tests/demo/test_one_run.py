"""A demo's run folder is what the contract says it is, joined to the access log row by row."""

from __future__ import annotations

import json

import duckdb
import polars as pl
import pyarrow.parquet as pq

from evidence import TABLES, trace_run


def test_the_columns_and_types_are_the_contract_s(light):
    """docs/reference/run-folder.md; evidence.columns is held against docs/reference by the house's tests."""
    folder = light.run.path
    kinds = {
        "ts": "timestamp[us, tz=UTC]",
        "i16": "int16",
        "i32": "int32",
        "i64": "int64",
        "f32": "float",
        "f64": "double",
        "str": "string",
        "bool": "bool",
    }

    for table, columns in TABLES.items():
        for file in sorted(folder.glob(f"{table}/*.parquet")) + sorted(folder.glob(f"{table}.parquet")):
            schema = pq.read_schema(file)
            assert [(f.name, str(f.type).replace("large_", "")) for f in schema] == [(c.name, kinds[c.kind]) for c in columns], file
            assert schema.metadata[b"sizeup.schema"] == b"1"


def test_duckdb_and_polars_read_the_same_rows(light):
    folder = light.run.path

    counted = duckdb.sql(f"select count(*), count(distinct (worker, seq)) from '{folder}/requests/*.parquet'").fetchall()[0]

    frame = pl.read_parquet(f"{folder}/requests/*.parquet")
    assert counted == (frame.height, frame.height)
    assert duckdb.sql(f"select count(*) from '{folder}/hosts.parquet'").fetchall()[0][0] == light.run.hosts.height


def test_every_request_joins_exactly_one_line_and_the_other_way_round(light):
    run = light.run
    ours = run.access_log.filter(pl.col("trace_run") == trace_run(run.id))
    sent = run.requests.filter(pl.col("status") > 0)

    joined = sent.with_columns(pl.col("worker").cast(pl.Int32), pl.col("seq").cast(pl.Int64)).join(ours, on=["worker", "seq"], how="inner")

    assert joined.height == sent.height == ours.height > 100
    assert joined["method"].to_list() == joined["method_right"].to_list()


def test_the_frontend_s_own_calls_carry_a_root_of_the_load_balancer_s_making(light):
    run = light.run
    api = run.access_log.filter(pl.col("target_group") == "moco-api")
    inside = api.filter(pl.col("trace_run") != trace_run(run.id))

    assert inside.height > 20
    assert inside["trace_id"].str.contains(r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}").all()
    assert run.access_log["url"].str.contains("/health").sum() == 0


def test_the_deployment_shows_two_colours_that_overlap(light):
    processes = light.run.processes.filter(pl.col("group") == "api")

    both = processes.group_by("at").agg(pl.col("color").n_unique().alias("colors")).filter(pl.col("colors") == 2)

    assert set(processes["color"].unique()) == {"blue", "green"}
    assert both.height >= 2
    assert light.run.events.filter(pl.col("kind") == "deploy").height == 1


def test_cloudwatch_and_the_account_are_in_the_run(light):
    run = light.run
    counts = run.metrics.filter(pl.col("metric") == "RequestCount")
    whole = counts.filter(~pl.col("dimensions").str.contains("TargetGroup"))

    # The probe and the health of the stack come before the run, so CloudWatch may have counted a few more.
    assert whole["value"].sum() >= 0.9 * run.access_log.height
    assert len(run.topology["addresses"]) == 5
    assert [a["service"] for a in run.topology["addresses"] if not a["needed"]] == ["rds"]
    assert {i["class"]: i["type"] for i in run.topology["instances"]} == {"frontend": "t3.small", "api": "t3.small"}


def test_no_secret_is_in_the_run(light):
    for file in light.run.path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"demo-password" not in data, file
            assert b"eyJhbGciOi" not in data, file


def test_the_run_says_what_it_was(light):
    meta = json.loads((light.run.path / "run.json").read_text())

    assert meta["status"] == "complete"
    assert meta["synthetic"] is True
    assert meta["counts"]["errors"] == 0
    assert {p["kind"] for p in meta["phases"]} == {"warmup", "steady", "deploy"}
    assert (light.run.path / "report.html").stat().st_size > 50_000


def test_a_synthetic_run_passes_no_gate(light):
    from finished import sizeup

    done = sizeup("gate", "--buy", "t3.micro:1:1y:all-upfront", light.document["runs"][0], "--json", results=light.results)

    reasons = {r["code"]: r["ok"] for r in json.loads(done.stdout)["reasons"]}
    assert done.returncode == 1
    assert reasons["synthetic"] is False
    assert reasons["no_run"] is True
