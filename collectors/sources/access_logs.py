"""The load balancer's own log, line by line, out of the bucket that it writes to or out of files: a run's `alb/*.log.gz`.

It says what CloudWatch can't: each request's arrival, route, target and target's time, and the trace id that joins it to the
generator's row. A file holds five minutes of one of the load balancer's nodes, is written after their end, and may come late
or in several parts.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors.aws import AwsSession
from collectors.registry import Asked, Collector
from evidence import SizeupError, write_atomic
from evidence.alb_log import parse_line

SLICE = timedelta(minutes=5)
"""How often a node writes. Source: Elastic Load Balancing user guide, "Access log files"."""
LATE = timedelta(minutes=30)
"""How much later than its slice's end a line may stand in a file: a request is logged when it ends, an upload or a WebSocket long after."""


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What was read: files that hold lines of the window, lines kept, lines that are no access log's, files that couldn't be read."""

    files: int
    lines: int
    odd_lines: int
    broken: tuple[str, ...]


def collect_access_logs(aws: AwsSession, topology: Mapping[str, Any], start: datetime, end: datetime, folder: Path) -> LogsRead:
    """Copy the lines of requests that arrived from `start` to `end` out of the bucket into `folder`, a file each.

    What is there already isn't asked for again, so a killed collection goes on where it was.

    Raises
    ------
    SizeupError
        Where the load balancer writes no log, or AWS doesn't answer.
    """
    place = topology["load_balancer"].get("access_logs")
    if not place:
        name = topology["load_balancer"]["name"]
        raise SizeupError(f"load balancer {name}: writes no access log; sizeup doctor prints the command that turns it on.")
    total = LogsRead(0, 0, 0, ())
    for key in log_keys(aws, topology, start, end):
        target = folder / Path(key).name
        if not target.exists():
            body = aws.call("s3", "get_object", Bucket=place["bucket"], Key=key)["Body"].read()
            total = _together(total, _keep(key, body, start, end, target))
    return total


def gather_access_logs(asked: Asked) -> int:
    """Put the log's lines into the run; where none is written, say so and go on."""
    balancer = asked.topology["load_balancer"]
    if not balancer.get("access_logs"):
        asked.say(f"load balancer {balancer['name']} writes no access log; sizeup doctor prints the command that turns it on.")
        return 0
    read = collect_access_logs(asked.aws, asked.topology, asked.start, asked.end, asked.folder / "alb")
    for name in read.broken:
        asked.say(f"warning: {name} is cut short or no gzip file; what it holds is kept.")
    return read.lines


def copy_log_files(files: Sequence[Path], start: datetime, end: datetime, folder: Path) -> LogsRead:
    """Do the same with log files that lie here, gzipped or plain.

    Raises
    ------
    SizeupError
        Where a file can't be opened.
    """
    total = LogsRead(0, 0, 0, ())
    for number, file in enumerate(files):
        try:
            body = file.read_bytes()
        except OSError as refused:
            raise SizeupError(f"{file}: can't be read ({refused.strerror}); name access-log files, gzipped or plain.") from None
        name = file.name.removesuffix(".gz").removesuffix(".log")
        total = _together(total, _keep(str(file), body, start, end, folder / f"{number:04}-{name}.log.gz"))
    return total


def log_keys(aws: AwsSession, topology: Mapping[str, Any], start: datetime, end: datetime) -> list[str]:
    """List the objects that may hold lines of the window, by day and by the end of their slice in their name.

    Source: Elastic Load Balancing user guide, "Access log files": prefix/AWSLogs/account/elasticloadbalancing/region/yyyy/mm/dd/
    account_elasticloadbalancing_region_app.name.id_end-time_ip_random.log.gz
    """
    balancer, account, region = topology["load_balancer"], topology["account"], topology["region"]
    place, name = balancer["access_logs"], balancer["name"].replace("/", ".")
    root = "/".join(part for part in (place["prefix"].strip("/"), "AWSLogs", account, "elasticloadbalancing", region) if part)
    keys: list[str] = []
    for day in _days(start, end + SLICE + LATE):
        prefix = f"{root}/{day:%Y/%m/%d}/{account}_elasticloadbalancing_{region}_{name}_"
        found = aws.pages("s3", "list_objects_v2", "Contents", Bucket=place["bucket"], Prefix=prefix)
        keys += [item["Key"] for item in found if _may_hold(item["Key"].removeprefix(prefix), start, end)]
    return sorted(keys)


def window_lines(lines: Iterable[str], start: datetime, end: datetime) -> Iterator[str | None]:
    """Yield each line whose request arrived from `start` to `end`; None for one that is no access log's."""
    for line in lines:
        try:
            arrived = parse_line(line).created_at
        except ValueError:
            yield None
            continue
        if start <= arrived < end:
            yield line


def _may_hold(rest: str, start: datetime, end: datetime) -> bool:
    """Tell by a name's end, `20180702T2225Z_…`, whether its slice may hold lines of the window; one of no such form may."""
    try:
        slice_end = datetime.strptime(rest.partition("_")[0], "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
    except ValueError:
        return rest.endswith((".log.gz", ".log"))
    return start <= slice_end and slice_end - SLICE <= end + LATE


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        yield day
        day += timedelta(days=1)


def _keep(name: str, body: bytes, start: datetime, end: datetime, target: Path) -> LogsRead:
    """Write one file's lines of the window; a file that is cut short or isn't gzip gives what it has, and its name."""
    text, whole = _text(body)
    found = list(window_lines((line for line in text.splitlines() if line.strip()), start, end))
    kept = [line for line in found if line is not None]
    if kept:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, gzip.compress("".join(f"{line}\n" for line in kept).encode(), 6, mtime=0))
    return LogsRead(int(bool(kept)), len(kept), len(found) - len(kept), () if whole else (name,))


def _text(body: bytes) -> tuple[str, bool]:
    """Decode a log file, gzipped (of one member or several) or plain; the flag says whether it was whole."""
    if not body.startswith(b"\x1f\x8b"):
        return body.decode("utf-8", "replace"), True
    parts, whole = [], True
    while body:
        member = zlib.decompressobj(31)
        try:
            parts.append(member.decompress(body))
        except zlib.error:
            whole = False
            break
        whole, body = member.eof, member.unused_data
    text = b"".join(parts)
    return (text if whole else text[: text.rfind(b"\n") + 1]).decode("utf-8", "replace"), whole


def _together(a: LogsRead, b: LogsRead) -> LogsRead:
    return LogsRead(a.files + b.files, a.lines + b.lines, a.odd_lines + b.odd_lines, a.broken + b.broken)


COLLECTOR = Collector(
    asks="which requests arrived, at which target, and how long did it take?",
    fills="alb/*.log.gz",
    calls=("s3:GetObject", "s3:ListBucket"),
    collect=collect_access_logs,
    gather=gather_access_logs,
)
