"""A small run made with the room's own writers: two classes, three steps of load, one deployment between them."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from evidence import RunFolder, SpoolWriter, create_run, make_trace, micros, rfc3339, seal, write_json
from evidence.alb_log import format_line, log_time

START = datetime(2026, 11, 24, 3, 0, 0, tzinfo=UTC)
STEPS = ((5.0, 20), (10.0, 20), (20.0, 20))
DEPLOY = (START + timedelta(seconds=22), START + timedelta(seconds=34))
MIB = 1024 * 1024
SETTINGS = '[project]\nregion = "ap-northeast-2"\n\n[class.frontend]\ndeploy = "none"\n'
ROUTES = (("frontend", "GET /boards"), ("api", "GET /boards"), ("api", "POST /auth/login"), ("api", "GET /boards/[id]"))
HOSTS = {"frontend": "example.run", "api": "api.example.run"}


def write_sample_run(results: Path, *, sealed: bool = True, synthetic: bool = True, log: bool = True, group: str = "api") -> Path:
    """Write the run under `results` and return its folder; `sealed=False` leaves it as a kill would."""
    dice = random.Random(0)
    folder = create_run(results, "sample", "steps", START, synthetic=synthetic)
    end = START + timedelta(seconds=sum(seconds for _, seconds in STEPS))
    rows = list(_requests(dice))
    _spool(folder, "requests-0", "requests", [row for row, _ in rows])
    _spool(folder, "hosts", "hosts", list(_hosts(dice)))
    _spool(folder, "processes", "processes", list(_processes(group)))
    _spool(folder, "events", "events", list(_events()))
    if log:
        _access_log(folder, [line for _, line in rows])
    write_json(folder.path / "topology.json", topology())
    (folder.path / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    if sealed:
        generator = {"cores": 1, "cpu_ratio_max": 0.2, "lateness_p99_us": 900}
        counts = {"requests": len(rows), "errors": 0, "workers": 1}
        seal(folder, "complete", end, phases=_phases(), counts=counts, generator=generator)
    return folder.path


def topology() -> dict[str, Any]:
    """The two hosts of the sample, each behind its target group."""
    return {
        "schema": "1", "account": "123456789012", "region": "ap-northeast-2", "as_of": rfc3339(START),
        "load_balancer": {"name": "moco-staging", "scheme": "internet-facing", "zones": [], "listeners": []},
        "target_groups": [{"name": f"moco-{name}", "class": name, "targets": []} for name in HOSTS],
        "instances": [{"id": f"i-{n}", "class": n, "type": "t3.small", "arch": "x86_64", "credit_mode": "unlimited"} for n in HOSTS],
        "addresses": [{"ip": "203.0.113.7", "owner": "rds", "service": "rds", "needed": False, "monthly_usd": "3.65"}],
        "rds": [], "cache": [], "reservations": [], "savings_plans": [], "deployments": [],
    }  # fmt: skip


def _spool(folder: RunFolder, name: str, table: str, rows: list[Any]) -> None:
    writer = SpoolWriter(folder.spool / f"{name}.spool", table)
    for row in rows:
        writer.append_named(row)
    writer.close()


def _requests(dice: random.Random) -> Any:
    """Yield (request row, access-log line) of a Poisson schedule over the steps."""
    at, seq, begin = START, 0, START
    for rate, seconds in STEPS:
        begin, until = max(begin, at), begin + timedelta(seconds=seconds)
        at = begin
        while (at := at + timedelta(seconds=dice.expovariate(rate))) < until:
            yield _request(dice, at, seq)
            seq += 1
        at = begin = until


def _request(dice: random.Random, at: datetime, seq: int) -> tuple[dict[str, Any], str]:
    host_class, name = ROUTES[seq % len(ROUTES)]
    service_us = int(dice.gammavariate(3, 6_000)) + 2_000
    row = {
        "worker": 0, "seq": seq, "intended_at": micros(at), "lateness_us": 200, "wait_us": 0, "ttfb_us": service_us - 300,
        "service_us": service_us, "response_us": service_us + 200, "name": name, "scenario": "visit", "host": HOSTS[host_class],
        "method": name.split()[0], "status": 200, "ok": True, "request_bytes": 240, "response_bytes": 2_000,
    }  # fmt: skip
    done = at + timedelta(microseconds=service_us)
    url = f"http://{HOSTS[host_class]}:80{name.split()[1].replace('[id]', '7')}"
    line = format_line({
        "type": "http", "time": log_time(done), "elb": "app/moco-staging/50dc6c495c0c9188", "client": "127.0.0.1:50000",
        "target": "127.0.0.1:8000", "request_processing_time": "0.000", "target_processing_time": f"{service_us / 1e6:.3f}",
        "response_processing_time": "0.000", "elb_status_code": "200", "target_status_code": "200", "received_bytes": "240",
        "sent_bytes": "2000", "request": f"{row['method']} {url} HTTP/1.1", "user_agent": "sizeup",
        "target_group_arn": f"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/moco-{host_class}/0123456789abcdef",
        "trace_id": make_trace(_run12(), 0, seq, int(at.timestamp())), "domain_name": HOSTS[host_class], "matched_rule_priority": "1",
        "request_creation_time": log_time(at), "actions_executed": "forward",
    })  # fmt: skip
    return row, line


def _run12() -> str:
    from evidence import trace_run

    return trace_run(f"{START:%Y%m%dT%H%M%SZ}-sample-steps")


def _hosts(dice: random.Random) -> Any:
    for second in range(1, sum(seconds for _, seconds in STEPS) + 1):
        rate = STEPS[min((second - 1) // 20, len(STEPS) - 1)][0]
        for name, cost_s in (("frontend", 0.004), ("api", 0.009)):
            cpu = rate * cost_s + 0.01 + dice.uniform(0, 0.01)
            yield {
                "at": micros(START + timedelta(seconds=second)), "interval_s": 1.0, "host": name, "class": name, "source": "process_group",
                "vcpus": 2, "cpu_user_s": cpu * 0.8, "cpu_system_s": cpu * 0.2, "cpu_steal_s": 0.0, "agent_cpu_s": 0.002, "gap": False,
            }  # fmt: skip


def _processes(group: str) -> Any:
    for second in range(1, sum(seconds for _, seconds in STEPS) + 1):
        at = START + timedelta(seconds=second)
        colors = ["blue"] if at < DEPLOY[0] else ["blue", "green"] if at < DEPLOY[1] else ["green"]
        parts = [("frontend", "frontend", None, 180), *(("api", group, color, 310) for color in colors)]
        for host, name, color, mib in parts:
            held = (mib + second // 10) * MIB
            yield {
                "at": micros(at), "host": host, "group": name, "color": color, "pids": 1, "cpu_s": 0.05, "rss_bytes": held + 8 * MIB,
                "pss_bytes": held, "pss_estimated": False, "threads": 8, "restarts": 0,
            }  # fmt: skip


def _events() -> Any:
    for phase in _phases():
        detail = f'{{"offered_per_s": {phase["offered_per_s"]}, "achieved_per_s": {phase["achieved_per_s"]}}}'
        start, end = (datetime.fromisoformat(phase[name]) for name in ("start", "end"))
        yield {"at": micros(start), "until": micros(end), "kind": "phase", "subject": phase["name"], "detail": detail}
    yield {"at": micros(DEPLOY[0]), "until": micros(DEPLOY[1]), "kind": "deploy", "subject": "api", "detail": "{}"}


def _phases() -> list[dict[str, Any]]:
    phases, at = [], START
    for number, (rate, seconds) in enumerate(STEPS):
        until = at + timedelta(seconds=seconds)
        phases.append({
            "name": f"step-{number + 1}", "start": rfc3339(at), "end": rfc3339(until), "offered_per_s": rate, "achieved_per_s": rate,
            "valid": True, "why": "",
        })  # fmt: skip
        at = until
    return phases


def _access_log(folder: RunFolder, lines: list[str]) -> None:
    alb = folder.path / "alb"
    alb.mkdir()
    with gzip.open(alb / "sample.log.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
