"""Writes docs/case-moco.md from the runs in results/moco: `.venv/bin/python docs/case_moco.py`. No figure there is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
from case_model import said
from jinja2 import StrictUndefined, Template

from catalogue import Catalogue, load_catalogue, size_units
from evidence import Run, open_run
from sizeup.settings import load_settings
from sizing import Question, gate, recommend
from sizing.jvm import JvmMemory, cap_bytes, max_heap_bytes
from sizing.model.memory import CACHE_BYTES, CACHE_SOURCE, KERNEL_BYTES, KERNEL_SOURCE
from sizing.money import Buy, GateEvidence, GateSettings, Holding, Usage, apply_held, parse_buy, purchase_price
from sizing.money.commit import commitments
from sizing.money.commit_answer import CommitQuestion
from sizing.money.demand import Future
from sizing.money.free_tier import free_months_left
from sizing.purchase import gate_evidence

ROOT = Path(__file__).resolve().parents[1]
RUNS, PAPER = ROOT / "results" / "moco", ROOT / "docs" / "case-moco.md"
MIB, REGION, HOURS_A_MONTH = 1 << 20, "ap-northeast-2", 730
SMALL, MICRO, CAPPED = "t3.small", "t3.micro", "t3.micro-capped"
TYPES = ("t3.small", "t3.micro", "t3.nano")
# What the friends said, in their words: of 2 GB, 1.1 GB stayed free; the reservation cost $128.
FREE_BYTES, PAID_USD = 1.1e9, Decimal(128)


THEIRS = "t3.small:1:1y:all-upfront"


@dataclass(frozen=True)
class Held:
    """What each group of a host held at one moment or over a span, MiB; both colours of the JVM together under `jvm`."""

    groups: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.groups.values())


@dataclass(frozen=True)
class Measured:
    """One run of the API's host: without load, under the highest step, at the deployment's fullest moment; and its JVM."""

    run: Run
    idle: Held
    load: Held
    deploy: Held
    overlap_s: float
    jvm: JvmMemory
    frontend: tuple[Held, Held]
    cpu_s: float

    @property
    def one_jvm(self) -> float:
        return self.load.groups["jvm"]

    @property
    def second_ratio(self) -> float:
        """What the deployment's two JVMs hold beyond one, as a part of that one."""
        return self.deploy.groups["jvm"] / self.one_jvm - 1

    @property
    def counts(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = self.run.meta["counts"]
        return counts

    @property
    def rates_per_s(self) -> list[float]:
        return [step["rate_per_s"] for step in self.run.meta["plan"]["steps"] if not step["name"].startswith("warm")]


def read_run(folder: Path) -> Measured:
    """Read the one run that lies in a folder of results/moco."""
    (path,) = [file.parent for file in folder.glob("*/run.json")]
    run = open_run(path)
    rows = held_rows(run, "api")
    phases = {phase["name"]: (_time(phase["start"]), _time(phase["end"])) for phase in run.meta["phases"] if phase["kind"] != "deploy"}
    steps = [name for name in phases if not name.startswith("warm")]
    both = rows.filter(pl.col("group") == "jvm").group_by("at").agg(n=pl.col("color").n_unique()).filter(pl.col("n") == 2)
    front, idle, last = held_rows(run, "frontend"), phases["warm-up: idle"], phases[steps[-1]]
    return Measured(
        run, median(rows, *idle), median(rows, *last), fullest(rows, both["at"].to_list()), float(both.height), read_jvm(rows, *last),
        (median(front, *idle), median(front, *last)), cpu_s(run, [phases[name] for name in steps]),
    )  # fmt: skip


def cpu_s(run: Run, spans: Sequence[tuple[datetime, datetime]]) -> float:
    """Return the CPU seconds of the API's host for one request that the load balancer sent it, all steps together."""
    hosts, log = run.hosts.filter(pl.col("class") == "api"), run.access_log.filter(pl.col("target_group") == "moco-api")
    spent = [hosts.filter(pl.col("at").is_between(*span)) for span in spans]
    busy_s = sum(float((rows["cpu_user_s"] + rows["cpu_system_s"]).sum()) for rows in spent)
    return busy_s / sum(log.filter(pl.col("created_at").is_between(*span)).height for span in spans)


def held_rows(run: Run, host: str) -> pl.DataFrame:
    rows = run.processes.filter(pl.col("host") == host)
    return rows.with_columns(mib=pl.coalesce("pss_bytes", "rss_bytes") / MIB)


def median(rows: pl.DataFrame, start: datetime, end: datetime) -> Held:
    """Return what each group held in the middle of a span."""
    inside = rows.filter(pl.col("at").is_between(start, end)).group_by("group", "at").agg(pl.col("mib").sum())
    return Held(dict(inside.group_by("group").agg(pl.col("mib").median()).sort("group").iter_rows()))


def fullest(rows: pl.DataFrame, moments: Sequence[datetime]) -> Held:
    """Return what each group held at the moment at which all of them held the most."""
    inside = rows.filter(pl.col("at").is_in(moments)).group_by("at", "group").agg(pl.col("mib").sum())
    at = inside.group_by("at").agg(pl.col("mib").sum()).sort("mib", "at")["at"][-1]
    return Held(dict(inside.filter(pl.col("at") == at).select("group", "mib").sort("group").iter_rows()))


def read_jvm(rows: pl.DataFrame, start: datetime, end: datetime) -> JvmMemory:
    """Return the JVM's own figures in a span: what lives after collections, and the heap's most."""
    inside = rows.filter((pl.col("group") == "jvm") & pl.col("at").is_between(start, end))
    most = {name: inside[f"jvm_{name}_bytes"].max() for name in ("used", "live", "committed", "max", "metaspace")}
    number = {name: int(value) for name, value in most.items() if isinstance(value, int)}
    gc = str(inside["jvm_gc"].drop_nulls()[-1])
    return JvmMemory(gc, number["used"], number.get("live"), number["committed"], number["max"], number.get("metaspace"))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def beside_mib() -> float:
    """The middle of what kernel, system services and warm page cache are assumed to hold."""
    return (sum(KERNEL_BYTES) + sum(CACHE_BYTES)) / 2 / MIB


def spread_mib() -> float:
    """How far that may be off, either way."""
    return (KERNEL_BYTES[1] - KERNEL_BYTES[0] + CACHE_BYTES[1] - CACHE_BYTES[0]) / 2 / MIB


def usable_mib(catalogue: Catalogue, kind: str) -> float:
    return catalogue.types[kind].usable_bytes / MIB


def holdings(runs: Mapping[str, Measured]) -> list[tuple[str, list[float]]]:
    """The host by its parts, MiB: idle, loaded and deploying, on two gibibytes and on one; the sum is the last row."""
    moments = [moment for name in (SMALL, MICRO) for moment in (runs[name].idle, runs[name].load, runs[name].deploy)]
    names = {"jvm": "JVM (deploying: both)", "nginx": "nginx", "codedeploy-agent-standin": "agent (a stand-in)"}
    rows = [(label, [held.groups[group] for held in moments]) for group, label in names.items()]
    rows.append(("kernel, services, warm cache (*assumed*)", [beside_mib()] * len(moments)))
    return [*rows, ("**together**", [held.total + beside_mib() for held in moments])]


def ways(catalogue: Catalogue, runs: Mapping[str, Measured]) -> list[tuple[str, float, list[str]]]:
    """Each way to deploy: its words, what it needs in MiB, and whether each type holds that."""
    small, micro, capped = runs[SMALL], runs[MICRO], runs[CAPPED]
    measured = [
        ("two copies, G1 (2 GiB)", small.deploy), ("two copies, serial collector (1 GiB)", micro.deploy),
        ("two copies, serial collector, heap capped", capped.deploy), ("old copy stopped first, G1 (2 GiB)", small.load),
        ("old copy stopped first, serial collector", micro.load), ("old copy stopped first, serial, heap capped", capped.load),
    ]  # fmt: skip
    return [
        (words, held.total + beside_mib(), [verdict(usable_mib(catalogue, kind) - held.total - beside_mib()) for kind in TYPES])
        for words, held in measured
    ]


def verdict(spare_mib: float) -> str:
    """Say whether a type holds it; within what the assumed part may be off, nobody can say."""
    if abs(spare_mib) <= spread_mib():
        return f"too near to say ({spare_mib:+,.0f})"
    return f"{'holds' if spare_mib > 0 else 'no'} ({spare_mib:+,.0f})"


def theirs(catalogue: Catalogue, small: Measured) -> Mapping[str, float]:
    """The friends' host in MiB: what they saw free, and what follows for their JVM if the rest is as measured here.

    `least` is their JVM on a t3.micro if its heap had grown to its end on the t3.small: there it must do with less.
    """
    free, rest = FREE_BYTES / MIB, small.load.total - small.load.groups["jvm"] + beside_mib()
    held = usable_mib(catalogue, SMALL) - free
    jvm = held - rest
    most = {kind: max_heap_bytes(catalogue.types[kind].usable_bytes) / MIB for kind in (SMALL, MICRO)}
    least = jvm - (most[SMALL] - most[MICRO])
    return {
        "free": free, "held": held, "rest": rest, "jvm": jvm, "deploy": held + jvm, "waste": free - jvm, "least": least,
        "least_deploy": rest + 2 * least,
    }  # fmt: skip


def baseline_per_s(catalogue: Catalogue, kind: str, request_s: float) -> float:
    """Return the requests a second that a burstable type carries all day without spending a credit."""
    instance = catalogue.types[kind]
    if instance.burst is None:
        raise SystemExit(f"{kind} has no credits")
    return instance.burst.baseline_ratio_per_vcpu * instance.vcpus / request_s


def prices(catalogue: Catalogue, kind: str) -> Mapping[str, Decimal]:
    """A type's month on demand and its year all upfront, USD."""
    hour, year = catalogue.on_demand(kind), catalogue.reserved(kind, term_years=1, payment="all_upfront")
    if hour is None or year is None or year.upfront_usd is None:
        raise SystemExit(f"no price of {kind} in {REGION}")
    return {"month": hour.usd * HOURS_A_MONTH, "year": year.upfront_usd}


def purchase(catalogue: Catalogue, run: Run) -> list[tuple[str, int, list[str]]]:
    """What the gate says of the t3.small as the evidence grows: how many tests refuse it, and which."""
    settings = load_settings(run.path / "settings.toml")
    answer = recommend([run], settings, catalogue, Question())
    buy = parse_buy(THEIRS)
    # The stack is a stand-in for theirs; what its run would have said of theirs is asked here.
    loaded = replace(gate_evidence(answer, buy, free_months_left=None), synthetic=False)
    day = _time(run.meta["started_at"])
    free = free_months_left(SMALL, "none", None, day.date(), catalogue)
    steps = [
        ("that day, on a hunch", None),
        ("after a minute of `sizeup look`", GateEvidence(1, False, valid_minutes=0, history_days=0, deployments=0, memory_ratio=0)),
        ("after one load test with a deployment in it (the t3.small run above)", loaded),
        (
            "after 14 days of `sizeup collect`, half an hour of load, and `[account] free_tier` stated",
            replace(loaded, history_days=14, valid_minutes=30, free_months_left=free),
        ),
    ]  # fmt: skip
    return [(words, *refused(catalogue, buy, evidence, day)) for words, evidence in steps]


def refused(catalogue: Catalogue, buy: Buy, evidence: GateEvidence | None, day: datetime) -> tuple[int, list[str]]:
    """How many of the gate's tests refuse a purchase, and the codes of those that can be judged."""
    price = purchase_price(catalogue, buy)
    told = gate(buy, price, settings=GateSettings(), catalogue=catalogue, generated_at=day, evidence=evidence)
    no = [reason for reason in told.reasons if reason.ok is not True]
    return len(no), [reason.code for reason in no if reason.ok is False]


def judged(catalogue: Catalogue, day: datetime) -> str:
    """The gate's first line on the hunch: both costs."""
    buy = parse_buy(THEIRS)
    return gate(buy, purchase_price(catalogue, buy), settings=GateSettings(), catalogue=catalogue, generated_at=day).sentences()[0]


def rescue(catalogue: Catalogue, day: datetime) -> Mapping[str, str]:
    """What the held reservation carries, and what is still to be bought beside it."""
    held = [Holding("theirs", SMALL, 1)]
    micros = [Usage("api", MICRO, 1), Usage("frontend", MICRO, 1)]
    (cover,) = apply_held(held, micros, day)
    answer = commitments([Future(1.0, micros)], catalogue, now=day, question=CommitQuestion(years=(1,)), held=held)
    return {"covers": cover.sentence, "action": answer.action}


def write(folder: Path = RUNS) -> str:
    """Return the paper."""
    catalogue = load_catalogue(REGION)
    runs = {name: read_run(folder / name) for name in (SMALL, MICRO, CAPPED)}
    day = _time(runs[SMALL].run.meta["started_at"])
    spare = [address for address in runs[SMALL].run.topology["addresses"] if not address["needed"]]
    return Template((ROOT / "docs" / "case-moco.md.j2").read_text(encoding="utf-8"), undefined=StrictUndefined, trim_blocks=True).render(
        runs=runs, small=runs[SMALL], micro=runs[MICRO], capped=runs[CAPPED], them=theirs(catalogue, runs[SMALL]), types=TYPES,
        usable={kind: usable_mib(catalogue, kind) for kind in TYPES}, prices={kind: prices(catalogue, kind) for kind in (SMALL, MICRO)},
        rule={kind: max_heap_bytes(catalogue.types[kind].usable_bytes) for kind in TYPES}, cap=cap_bytes(runs[MICRO].jvm),
        carries=baseline_per_s(catalogue, MICRO, runs[MICRO].cpu_s), holdings=holdings(runs), ways=ways(catalogue, runs),
        beside=beside_mib(), spread=spread_mib(), paid=PAID_USD,
        covers=size_units(SMALL) / size_units(MICRO), addresses=runs[SMALL].run.topology["addresses"], spare=spare,
        purchase=purchase(catalogue, runs[SMALL].run), rescue=rescue(catalogue, day),
        told=judged(catalogue, day), model=said(catalogue, {name: measured.run for name, measured in runs.items()}),
        spare_usd=sum(Decimal(address["monthly_usd"]) for address in spare), kernel=KERNEL_SOURCE, cache=CACHE_SOURCE, mib=MIB,
    )  # fmt: skip


if __name__ == "__main__":
    PAPER.write_text(write() + "\n", encoding="utf-8")
    print(PAPER)
