"""Access logs out of a bucket of moto's, laid out as AWS lays them out, and out of files."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto_account import REGION, client

from collectors import AwsSession, collectors
from collectors.sources.access_logs import collect_access_logs, copy_log_files, log_keys
from evidence import SizeupError, access_log_lines, create_run, open_run
from evidence.alb_log import format_line, log_time

START = datetime(2026, 11, 24, 23, 50, tzinfo=UTC)
END = START + timedelta(minutes=30)
BALANCER, ACCOUNT, BUCKET = "app/moco-prod/50dc6c495c0c9188", "123456789012", "moco-logs"
NAME = f"{ACCOUNT}_elasticloadbalancing_{REGION}_app.moco-prod.50dc6c495c0c9188"


def topology(**place: str) -> dict[str, Any]:
    return {
        "account": ACCOUNT, "region": REGION,
        "load_balancer": {"name": BALANCER, "access_logs": {"bucket": BUCKET, "prefix": "prod"} | place},
    }  # fmt: skip


def line(arrived: datetime, target_s: float = 0.025, group: str = "moco-api") -> str:
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{group}/73e2d6bc24d8a067"
    return format_line({
        "type": "h2", "time": log_time(arrived + timedelta(seconds=target_s)), "request_creation_time": log_time(arrived), "elb": BALANCER,
        "client": "203.0.113.7:4711", "target": "10.0.1.5:8080", "request_processing_time": "0.000",
        "target_processing_time": f"{target_s:.3f}", "response_processing_time": "0.000", "elb_status_code": "200",
        "target_status_code": "200", "received_bytes": "120", "sent_bytes": "900",
        "request": "GET https://api.example.run:443/boards HTTP/2.0",
        "user_agent": "k6", "target_group_arn": arn, "trace_id": "Root=1-6743b3a8-0123456789ab0000000000ff", "matched_rule_priority": "10",
        "actions_executed": "forward",
    })  # fmt: skip


def put(slice_end: datetime, lines: list[str], node: str = "10.0.0.9_abc123", *, prefix: str = "prod/", name: str = NAME) -> str:
    """Write an object as a node does, under the day of its slice's end."""
    key = f"{prefix}AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{slice_end:%Y/%m/%d}/{name}_{slice_end:%Y%m%dT%H%MZ}_{node}.log.gz"
    body = gzip.compress("".join(f"{each}\n" for each in lines).encode())
    return key, body


@pytest.fixture(scope="module")
def aws(moto_url: str) -> AwsSession:
    s3 = client(moto_url, "s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    minute = timedelta(minutes=1)
    objects = [
        put(START - 30 * minute, [line(START - 31 * minute)]),
        put(START + 5 * minute, [line(START - minute), line(START), line(START + 2 * minute, 0.1)]),
        put(START + 5 * minute, [line(START + 3 * minute, group="moco-frontend")], node="10.0.1.7_def456"),
        put(START + 15 * minute, [line(START + 14 * minute)]),
        put(END + 20 * minute, [line(END - minute, 1200.0), line(END + 19 * minute)]),
        put(START + 5 * minute, [line(START)], name=NAME.replace("moco-prod", "another")),
    ]
    for key, body in objects:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return AwsSession(REGION, moto_url)


def test_the_lines_of_the_window_come_out_of_the_bucket_whichever_file_they_stand_in(aws, tmp_path: Path):
    """As put: over midnight, of two nodes, one request that took twenty minutes and is logged after the window's end."""
    read = collect_access_logs(aws, topology(), START, END, tmp_path)

    assert (read.files, read.lines, read.odd_lines, read.broken) == (4, 5, 0, ())
    assert len(list(access_log_lines(tmp_path))) == 5
    assert aws.calls == set(collectors()["access_logs"].calls)


def test_only_days_and_slices_that_may_hold_lines_are_listed(aws):
    """Neither the slice before the window nor another load balancer's."""
    keys = log_keys(aws, topology(), START, END)

    assert [key.rpartition("_10.")[0].rpartition("_")[2] for key in keys] == [
        "20261124T2355Z", "20261124T2355Z", "20261125T0005Z", "20261125T0040Z",
    ]  # fmt: skip


def test_what_lies_here_already_is_not_asked_for_again(aws, tmp_path: Path):
    """A collection that was killed goes on where it was."""
    collect_access_logs(aws, topology(), START, END, tmp_path)

    again = collect_access_logs(aws, topology(), START, END, tmp_path)

    assert (again.files, again.lines) == (0, 0)


def test_the_run_tells_arrivals_and_target_times_by_target_group(aws, tmp_path: Path):
    """As put; the trace id joins a line to the generator's row."""
    run = create_run(tmp_path, "prod", "collect", START)
    collect_access_logs(aws, topology(), START, END, run.path / "alb")

    log = open_run(run.path).access_log

    assert sorted(log["target_group"].value_counts().iter_rows()) == [("moco-api", 4), ("moco-frontend", 1)]
    assert sorted(log["target_s"].to_list()) == [0.025, 0.025, 0.025, 0.1, 1200.0]
    assert set(log["seq"]) == {255}


def test_a_load_balancer_that_writes_no_log_is_said(aws, tmp_path: Path):
    quiet = topology()
    quiet["load_balancer"]["access_logs"] = None

    with pytest.raises(SizeupError, match=f"load balancer {BALANCER}: writes no access log; sizeup doctor prints the command"):
        collect_access_logs(aws, quiet, START, END, tmp_path)


def test_a_bucket_that_is_not_there_is_a_sentence(aws, tmp_path: Path):
    with pytest.raises(SizeupError, match=r"AWS answered s3:ListBucket with NoSuchBucket: .*; run it again"):
        collect_access_logs(aws, topology(bucket="nobodys"), START, END, tmp_path)


def test_files_here_are_read_gzipped_or_plain_whole_or_cut(tmp_path: Path):
    """Of several gzip members, as a growing file has; cut short; plain, with a line that is none."""
    several, cut, plain = tmp_path / "several.log.gz", tmp_path / "cut.log.gz", tmp_path / "plain.log"
    several.write_bytes(b"".join(gzip.compress(f"{line(START)}\n".encode()) for _ in range(3)))
    cut.write_bytes(gzip.compress("".join(f"{line(START + timedelta(seconds=n))}\n" for n in range(400)).encode(), mtime=0)[:-500])
    plain.write_text(f"#Fields: type time\n{line(START)}\n{line(END)}\n")

    read = copy_log_files([several, cut, plain], START, END, tmp_path / "alb")

    assert read.broken == (str(cut),)
    assert (read.files, read.odd_lines) == (3, 1)
    assert 3 + 1 < read.lines < 3 + 400 + 1
    assert len(list(access_log_lines(tmp_path / "alb"))) == read.lines


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path):
    with pytest.raises(SizeupError, match=r"no\.log: can't be read \(No such file or directory\); name access-log files"):
        copy_log_files([tmp_path / "no.log"], START, END, tmp_path / "alb")
