"""What the account and the agents on the hosts saw of a load, put into its run once it is over; none of it can spoil the run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from evidence import RunFolder, SizeupError, SpoolWriter, Warn, micros, open_run, rfc3339, tidy

if TYPE_CHECKING:
    from collectors import Asked, AwsSession, Collector
    from sizeup.context import Context
    from sizeup.settings import Settings

PERIOD = timedelta(minutes=5)
"""What EC2's basic monitoring averages over: a load's first and last period are read whole."""
WHOLE_RATIO = 0.98
"""Share of the load's requests from which its log counts as whole."""
LOG_TRIES, LOG_PAUSE_S = 10, 60.0
"""How often and after what pause the log is asked for again: a slice of five minutes is written within minutes of its end."""


def told_price(topology: Mapping[str, Any], region: str, start: datetime, end: datetime) -> str:
    """Say what reading the load's metrics will come to, before anything is sent."""
    from collectors import cloudwatch_bill
    from sizeup.collect_plan import bill_words, price_bill

    return f"CloudWatch is read after it: {bill_words(price_bill(cloudwatch_bill(topology, start, end + PERIOD, end), region))}"


def gather_beside(
    ctx: Context, target: str, settings: Settings, folder: RunFolder, account: tuple[AwsSession, Mapping[str, Any]] | None,
    start: datetime, end: datetime,
) -> list[Warn]:  # fmt: skip
    """Put what CloudWatch, the access log and the agents hold of the load's span into its run, whose tables are in order afterwards.

    Parameters
    ----------
    account : where the target stands and what stands there; None where that couldn't be read

    Returns
    -------
    list of Warn
        What could not be had, which ^C ends too: the run is good without.
    """
    warnings = _each_agent(ctx, settings, folder, start, end)
    if account is not None:
        aws, topology = account
        later = f"sizeup collect {target} --start {rfc3339(start)} --end {rfc3339(end)} reads it later"
        try:
            _wait(ctx, aws, end)
            warnings += _each_source(ctx, aws, topology, folder, start, end, later)
        except KeyboardInterrupt:
            warnings.append(Warn("account_missing", f"Interrupted: the run is whole without what the account counted; {later}."))
    tidy(folder.path, ("metrics", "events"))
    return warnings


def _wait(ctx: Context, aws: AwsSession, end: datetime) -> None:
    """Wait until CloudWatch has told the load's last minutes; a stand-in on this machine tells at once."""
    from sizeup.collecting import wait_until_told

    if not aws.is_local:
        ctx.say("the load is over; what the account counted of it is read next, ^C goes without")
        wait_until_told(end, ctx)


def _each_source(
    ctx: Context, aws: AwsSession, topology: Mapping[str, Any], folder: RunFolder, start: datetime, end: datetime, later: str
) -> list[Warn]:
    """Let each source put what it finds into the run; the price of what was read goes into run.json."""
    from collectors import Asked, cloudwatch_read
    from sizeup.collect_plan import price_bill
    from sizeup.collecting import sources

    # Whole periods on both sides: CPU that an average holds must find the requests that took it.
    first = datetime.fromtimestamp(start.timestamp() // PERIOD.seconds * PERIOD.seconds, UTC)
    asked, warnings, found = Asked(aws, topology, first, end + PERIOD, folder.path, ctx.say), [], {}
    for name, source in sources():
        try:
            found[name] = source.gather(asked) if source.gather is not None else 0
            if name == "access_logs" and found[name]:
                found[name] += _rest_of_log(asked, source, folder)
        except (SizeupError, OSError) as refused:
            warnings.append(Warn(f"{name}_missing", f"{_words(refused)}; the run is whole without; {later}."))
            if getattr(refused, "ends_all", False) or isinstance(refused, OSError):
                break
        else:
            ctx.say(f"{name}: {found[name]:,} more in {source.fills}")
    read = price_bill(cloudwatch_read(topology, folder.path), aws.region)
    folder.update(collected=found, **({} if read.usd is None else {"cost_usd": f"{read.usd.normalize():f}"}))
    return warnings


def _rest_of_log(asked: Asked, source: Collector, folder: RunFolder) -> int:
    """Ask for the log until it has the load's requests; return the lines that this added.

    Raises
    ------
    SizeupError
        Where it still lacks some; what came is left out, for half a log counts too few requests to the CPU that they took.
    """
    added, tries = 0, 1 if asked.aws.is_local else LOG_TRIES
    for left in reversed(range(tries)):
        have, sent = _logged(folder)
        if have >= WHOLE_RATIO * sent:
            return added
        if left:
            asked.say(f"access log: {have:,} of {sent:,} requests; waits {LOG_PAUSE_S:.0f} s, a node writes every five minutes")
            time.sleep(LOG_PAUSE_S)
            added += source.gather(asked) if source.gather is not None else 0
    shutil.rmtree(folder.path / "alb")
    raise SizeupError(f"the access log holds {have:,} of the load's {sent:,} requests so far, and half of it would count too little")


def _logged(folder: RunFolder) -> tuple[int, int]:
    """Return how many of the load's answered requests the log has, and how many there are."""
    run = open_run(folder.path)
    lines = run.access_log.filter(run.access_log["trace_run"] == run.meta["trace_run"])
    return lines.select("worker", "seq").n_unique(), int((run.requests["status"] > 0).sum())


def _each_agent(ctx: Context, settings: Settings, folder: RunFolder, start: datetime, end: datetime) -> list[Warn]:
    """Fetch what the agents at the classes' addresses saw meanwhile."""
    warnings = []
    for host_class, each in settings.class_.items():
        if each.address is None:
            continue
        try:
            beats = _agent(ctx, host_class, each.address, folder, start, end)
            ctx.say(f"{each.address}: {beats:,} beats of the agent")
        except (SizeupError, OSError) as refused:
            warnings.append(Warn("agent_missing", f"{each.address}: {_words(refused)}; the run is whole without its agent."))
        except KeyboardInterrupt:
            warnings.append(Warn("agent_missing", f"{each.address}: interrupted; sizeup agent fetch {each.address} brings its spool."))
    return warnings


def _agent(ctx: Context, host_class: str, address: str, folder: RunFolder, start: datetime, end: datetime) -> int:
    """Put one agent's beats of the span into the run, under the class whose address it is; return how many."""
    from collectors import fetch_spool, host_clock, read_spool_rows
    from sizeup.hosts import reach, spool_folder

    into = spool_folder(ctx, address)
    remote = reach(ctx, address).remote
    try:
        clock = host_clock(address, remote)
        fetch_spool(remote, into)
    finally:
        remote.close()
    rows = read_spool_rows(into)
    first, last = micros(start), micros(end)
    beats = [{**row, "class": host_class} for row in rows.hosts if first <= row["at"] <= last]
    for table, found in {"hosts": beats, "processes": rows.processes, "events": rows.events}.items():
        writer = SpoolWriter(folder.spool / f"{table}-agent-{host_class}.spool", table)
        for row in found:
            if first <= row["at"] <= last:
                writer.append_named(row)
        writer.close()
    offset = {"host": address, "offset_s": round(clock.offset_s, 3), "error_s": round(clock.error_s, 3), "at": rfc3339(end)}
    folder.update(clocks=[*folder.meta["clocks"], offset])
    return len(beats)


def _words(refused: Exception) -> str:
    return (str(refused) if isinstance(refused, SizeupError) else f"{getattr(refused, 'strerror', None) or refused}").rstrip(".")
