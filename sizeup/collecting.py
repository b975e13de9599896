"""`sizeup collect`: what production did by itself, read from the account into a run that any failure leaves readable and resumable."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from evidence import RunFolder, SizeupError, Warn, create_run, process_mark, rfc3339, seal, settle, tidy
from sizeup.collect_plan import (
    PLAN,
    CollectOptions,
    PricedBill,
    price_bill,
    span_of,
    span_of_run,
    target_named,
    told,
    unfinished,
)
from sizeup.targets import Place, place_of, target_groups, topology_of

if TYPE_CHECKING:
    from collectors import Asked, AwsSession, Collector
    from sizeup.context import Context
    from sizeup.settings import Settings

TABLES = ("metrics", "events")
"""What a source may fill; a row that two attempts put there counts once."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What was to be read, and what was: `folder` None where only that was asked."""

    target: str
    start: datetime
    end: datetime
    plan: PricedBill
    topology: Mapping[str, Any]
    folder: RunFolder | None = None
    read: PricedBill | None = None
    refused: Sequence[Warn] = ()

    @property
    def warnings(self) -> list[Warn]:
        """What the account didn't tell: parts of the topology, sources, or any point at all."""
        found = [Warn(w["code"], w["message"]) for w in self.topology.get("warnings", ())]
        if self.read is not None and not self.read.bill.points:
            found.append(Warn("metrics_empty", "CloudWatch has no point of this stack in that span; check target, region and span."))
        return [*found, *self.refused]

    def as_json(self) -> dict[str, Any]:
        meta = self.folder.meta if self.folder else {}
        return {
            "path": str(self.folder.path) if self.folder else None, "id": meta.get("id"), "status": meta.get("status"),
            "target": self.target, "start": rfc3339(self.start), "end": rfc3339(self.end), "plan": self.plan.as_json(),
            "read": self.read.as_json() if self.read else None, "collected": meta.get("collected", {}),
        }  # fmt: skip


def run_collect(ctx: Context, name: str, options: CollectOptions) -> Collected:
    """Collect for the target called `name`; an unfinished collection of the same goes on.

    Raises
    ------
    SizeupError
        Where the settings don't name the target, the span is none, or the account doesn't answer; what was read is kept.
    """
    settings, now = ctx.settings(required=True), datetime.now(UTC)
    target = target_named(name, settings)
    settle(ctx.results, now)
    folder = None if options.dry_run else unfinished(ctx.results, name, options, now)
    start, end = span_of_run(folder.meta) if folder else span_of(options, now)
    place = place_of(ctx, settings, target)
    topology = _kept_topology(folder) if folder else _walk(ctx, place, settings)
    plan = _price(topology, start, end, now, place.aws.region, folder)
    for line in told(name, place.load_balancer, start, end, plan):
        ctx.say(line)
    if options.dry_run:
        return Collected(name, start, end, plan, topology)
    folder = folder or _begin(ctx, name, options, start, end, now, topology)
    folder.update(synthetic=place.synthetic)
    ctx.say(f"the run is {folder.path}")
    with _ended(folder):
        wait_until_told(end, ctx)
        refused = gather_all(_asked(ctx, place.aws, topology, start, end, folder), folder)
    return Collected(name, start, end, plan, topology, folder, _spent(topology, place.aws.region, folder), refused)


def gather_all(asked: Asked, folder: RunFolder) -> list[Warn]:
    """Let each source put what it finds into the run; one that a former attempt finished is not asked again.

    Returns
    -------
    list of Warn
        Sources that failed without ending the collection.

    Raises
    ------
    SizeupError
        Where CloudWatch doesn't answer, or the account as a whole.
    """
    warnings = []
    for name, source in sources():
        if name in folder.meta["collected"] or source.gather is None:
            continue
        try:
            rows = source.gather(asked)
        except SizeupError as refused:
            if name == "cloudwatch" or getattr(refused, "ends_all", False) or not _answers(asked.aws, refused):
                raise SizeupError(f"{str(refused).rstrip('.')}; what was read is kept in {folder.id}, and the same call goes on.") from None
            warnings.append(Warn(f"{name}_missing", str(refused)))
            continue
        asked.say(f"{name}: {rows:,} more in {source.fills}")
        folder.update(collected={**folder.meta["collected"], name: rows})
    return warnings


def _answers(aws: AwsSession, refused: SizeupError) -> bool:
    """Tell whether AWS is there after a call that it wasn't reached for: a region may lack a service, or the network be gone."""
    if getattr(refused, "kind", None) != "unreachable":
        return True
    try:
        aws.call("cloudwatch", "list_metrics", Namespace="none")
    except SizeupError:
        return False
    return True


def sources() -> list[tuple[str, Collector]]:
    """Return the sources that put something into a run, CloudWatch first: its newest minutes are the first to go."""
    from collectors import collectors

    found = [(name, each) for name, each in collectors().items() if each.gather is not None]
    return sorted(found, key=lambda item: (item[0] != "cloudwatch", item[0]))


def _kept_topology(folder: RunFolder) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((folder.path / "topology.json").read_bytes())
    return kept


def _walk(ctx: Context, place: Place, settings: Settings) -> dict[str, Any]:
    """Look at what stands there, and at what agents on it publish."""
    from collectors import SideCalls, agent_metrics

    ctx.say(f"looks at what stands behind {place.load_balancer} in {place.aws.region}")
    found = topology_of(place.aws, place.load_balancer, target_groups(settings))
    side = SideCalls(place.aws)
    found["agent_metrics"] = agent_metrics(side)
    found["warnings"] += [dict(warning.as_json()) for warning in side.warnings]
    return found


def _price(
    topology: Mapping[str, Any], start: datetime, end: datetime, now: datetime, region: str, folder: RunFolder | None
) -> PricedBill:
    from collectors import cloudwatch_bill

    return price_bill(cloudwatch_bill(topology, start, end, now, folder.path if folder else None), region)


def _begin(
    ctx: Context, name: str, options: CollectOptions, start: datetime, end: datetime, now: datetime, topology: Mapping[str, Any]
) -> RunFolder:
    """Make the run's folder, with what its decision needs to be replayed."""
    from sizeup.measure import describe
    from sizeup.prices import open_catalogue
    from sizeup.settings import public_toml

    catalogue = open_catalogue(topology["region"])
    present = {str(instance["type"]) for instance in topology["instances"]}
    types = [t for t in catalogue.types if t in present or t.startswith(("t2.", "t3.", "t3a.", "t4g."))]
    folder = create_run(ctx.results, name, PLAN, now, collected={})
    folder.update(plan={"name": PLAN, "asked": options.key, "start": rfc3339(start), "end": rfc3339(end)})
    describe(catalogue, types, folder, public_toml(ctx.config) if ctx.config else "", topology)
    return folder


@contextmanager
def _ended(folder: RunFolder) -> Iterator[None]:
    """Seal the run however its collection ends; what a sentence or ^C ends is `stopped`.

    Raises
    ------
    SizeupError
        Where the disk takes no more; then the run may stay unsealed, which the next command mends.
    """
    status = "crashed"
    try:
        folder.update(status="running", ended_at=None, writer=process_mark(os.getpid()))
        tidy(folder.path, TABLES)
        yield
        _seal(folder, "complete")
        return
    except OSError as refused:
        status = "stopped"
        kept = f"what was read is kept in {folder.id}, and the same call goes on"
        raise SizeupError(f"{folder.path}: can't be written ({refused.strerror or refused}); free some space; {kept}.") from None
    except (SizeupError, KeyboardInterrupt):
        status = "stopped"
        raise
    finally:
        if folder.meta["status"] == "running":
            with suppress(OSError):  # the spools hold what the tables don't
                _seal(folder, status)


def _seal(folder: RunFolder, status: str) -> None:
    tidy(folder.path, TABLES)
    seal(folder, status, datetime.now(UTC))


def wait_until_told(end: datetime, ctx: Context) -> None:
    """Wait until CloudWatch has told the last minutes of the span."""
    from collectors import SETTLED_S

    left_s = (end + timedelta(seconds=SETTLED_S) - datetime.now(UTC)).total_seconds()
    if left_s > 0:
        ctx.say(f"waits {left_s:.0f} s: CloudWatch tells a span's last minutes late")
        time.sleep(left_s)


def _asked(ctx: Context, aws: AwsSession, topology: Mapping[str, Any], start: datetime, end: datetime, folder: RunFolder) -> Asked:
    from collectors import Asked

    return Asked(aws, topology, start, end, folder.path, ctx.say)


def _spent(topology: Mapping[str, Any], region: str, folder: RunFolder) -> PricedBill:
    """Return what was read over all attempts; the run notes its cost."""
    from collectors import cloudwatch_read

    read = price_bill(cloudwatch_read(topology, folder.path), region)
    if read.usd is not None:
        folder.update(cost_usd=f"{read.usd.normalize():f}")
    return read
