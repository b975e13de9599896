"""How are all prices of a region read from AWS itself? Four calls, page by page, each page kept until all are there.

DescribeInstanceTypes (types), GetProducts of the Price List API (prices on demand, reserved databases and caches),
DescribeReservedInstancesOfferings (EC2 reservations) and DescribeSavingsPlansOfferingRates. A refresh that is killed goes on
where it was, for a day; what it gathers appears at once when it is complete. Nothing here knows boto3: `ask` makes the call.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from catalogue.instances import all_types, burst_rules
from catalogue.offerings import plan_rows, reservation_rows, type_rows
from catalogue.price_list import Named, offer_products, product_rows
from catalogue.questions import PriceQuestion, price_questions
from catalogue.snapshot import Row, newest_snapshot, write_snapshot
from catalogue.tables import Source, raw_rows, source_of
from evidence import SizeupError, write_json

Ask = Callable[[str, str, str, Mapping[str, Any]], Mapping[str, Any]]
"""(region of the endpoint, service, operation as boto3 calls it, arguments) -> the answer."""
PAGES_KEPT = timedelta(days=1)
"""A page token of AWS lives about as long; older pages could mix two price lists."""
KEYS = {
    "ec2_types": ("instance_type",), "ec2_on_demand": ("instance_type",),
    "ec2_reserved": ("instance_type", "offering_class", "term_years", "payment"),
    "rds": ("engine", "item", "deployment", "kind", "term_years", "payment"),
    "elasticache": ("engine", "node_type", "kind", "term_years", "payment"), "services": ("service", "item", "tier_from"),
    "savings_plan_rates": ("plan", "instance_type", "operating_system", "tenancy", "term_years", "payment"),
}  # fmt: skip
"""What names a row of each table; the tiers of a service's item belong together."""
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh brought.

    Attributes
    ----------
    new_types : list of str
        Types that the embedded catalogue doesn't know.
    left_out : list of str
        Burstable ones among them whose credit rules nobody stated: they are offered to nobody.
    """

    path: Path
    rows: Mapping[str, int]
    new_types: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"path": str(self.path), "rows": dict(self.rows), "new_types": self.new_types, "left_out": self.left_out}


def fetch_pages(region: str, ask: Ask, folder: Path, now: datetime, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Ask for all pages that aren't kept yet; return a sentence for each question that was refused.

    Raises
    ------
    SizeupError
        Where AWS doesn't answer: what was read stays, and the next refresh goes on there.
    """
    pages = _pages_folder(folder, region)
    _drop_old(pages, now)
    refused: list[str] = []
    for question in price_questions(region):
        try:
            count = _fetch(question, ask, pages)
        except SizeupError as failed:
            if getattr(failed, "kind", "") != "denied":
                raise SizeupError(f"{str(failed).rstrip('.')} (what was read is kept: it goes on from there).") from None
            refused.append(str(failed))
        else:
            say(f"{question.name}: {count} read")
    return refused


def store_pages(region: str, folder: Path, now: datetime) -> Refreshed:
    """Turn the kept pages into tables, put them in place at once, and let the pages go.

    Raises
    ------
    SizeupError
        Where the pages hold no price of the region, or the cache folder can't be written to.
    """
    pages, day = _pages_folder(folder, region), f"{now.astimezone(UTC):%Y-%m-%d}"
    named = [row for question in price_questions(region) for row in _rows(question, pages, region, day)]
    found = _store(region, folder, now, named)
    shutil.rmtree(pages, ignore_errors=True)
    return found


def read_offer_files(region: str, files: Sequence[Path], folder: Path, now: datetime) -> Refreshed:
    """Read published offer files (`offers/v1.0/aws/<service>/current/<region>/index.json`, gzipped or not) into the cache.

    Raises
    ------
    SizeupError
        Where a file isn't an offer file, or none of them has a price of the region.
    """
    return _store(region, folder, now, [row for file in files for row in _offer_rows(file, region)])


@contextmanager
def only_refresh(folder: Path, region: str) -> Iterator[None]:
    """Hold off a second refresh of the region; a killed one holds off nobody.

    Raises
    ------
    SizeupError
        Where another one is under way, or the cache folder can't be written to.
    """
    import fcntl

    home = folder / "prices" / region
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / ".lock").open("w")
    except OSError as refused:
        raise SizeupError(f"{home}: the prices can't be kept there ({refused.strerror}); name another folder with SIZEUP_CACHE.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SizeupError(f"prices of {region} are being refreshed already; wait for that refresh, then ask again.") from None
        yield


def _fetch(question: PriceQuestion, ask: Ask, pages: Path) -> int:
    """Read a question's missing pages; a kept token that AWS no longer takes, or a broken page, begins the question anew."""
    kept = _kept(question, pages)
    try:
        return _fetch_from(question, ask, pages, kept)
    except json.JSONDecodeError:
        pass
    except SizeupError as failed:
        code = getattr(failed, "code", "")
        if not kept or not ("Token" in code or code == "ValidationException"):
            raise
    for file in kept:
        file.unlink()
    return _fetch_from(question, ask, pages, [])


def _fetch_from(question: PriceQuestion, ask: Ask, pages: Path, kept: Sequence[Path]) -> int:
    told = [_read(file) for file in kept]
    count, number, token = sum(len(page["items"]) for page in told), len(told), told[-1]["token"] if told else None
    while number == 0 or token:
        into = {question.token[0]: token} if token else {}
        answer = ask(question.endpoint, question.service, question.operation, {**question.arguments, **into})
        following = answer.get(question.token[1]) or None
        if following is not None and following == token:
            raise SizeupError(f"{question.service} answers {question.operation} with the same page again and again; try once more later.")
        items, token = answer.get(question.items, []), following
        pages.mkdir(parents=True, exist_ok=True)
        write_json(pages / f"{question.name}.{number:05d}.json", {"token": token, "items": _plain(items)})
        count, number = count + len(items), number + 1
    return count


def _rows(question: PriceQuestion, pages: Path, region: str, day: str) -> Iterator[Named]:
    source = Source(f"{question.service}:{_camel(question.operation)}, {region}", day, quoted=False, how_sure="read from AWS itself")
    for file in _kept(question, pages):
        for item in _read(file)["items"]:
            yield from _item_rows(question, item, region, source)


def _item_rows(question: PriceQuestion, item: Any, region: str, source: Source) -> list[Named]:
    if question.items == "InstanceTypes":
        return type_rows(item, source)
    if question.items == "ReservedInstancesOfferings":
        return reservation_rows(item, source)
    if question.items == "searchResults":
        return plan_rows(item, region, source)
    return product_rows(json.loads(item) if isinstance(item, str) else item, region, source)


def _offer_rows(file: Path, region: str) -> Iterator[Named]:
    offer = _read_offer(file)
    source = Source(f"offer file {offer['offerCode']} {offer['version']}", str(offer["publicationDate"])[:10], quoted=False,
                    how_sure=f"AWS's own file ({file.name})")  # fmt: skip
    for product in offer_products(offer):
        yield from product_rows(product, region, source)


def _read_offer(file: Path) -> Mapping[str, Any]:
    try:
        raw = file.read_bytes()
        offer = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except OSError as refused:
        raise SizeupError(f"{file}: can't be read ({refused.strerror}); name an offer file with --from-file.") from None
    except (ValueError, EOFError):
        raise SizeupError(f"{file}: isn't JSON, or is cut off; load the offer file again.") from None
    if not isinstance(offer, dict) or not {"offerCode", "version", "publicationDate", "products", "terms"} <= offer.keys():
        raise SizeupError(f"{file}: isn't an offer file of the price list (offerCode, products, terms); name a region's index.json.")
    return offer


def _store(region: str, folder: Path, now: datetime, named: Sequence[Named]) -> Refreshed:
    """Write rows as a snapshot; what an earlier one holds and this one doesn't, or not as new, stays with its date."""
    read: dict[str, dict[Group, list[Row]]] = {}
    for table, row in named:
        _put(read.setdefault(table, {}), table, row)
    if not read.keys() - {"ec2_types"}:
        raise SizeupError(f"what was read holds no price of {region}; name the region that it is for with --region.")
    previous = newest_snapshot(folder, region)
    tables = {table: _joined(table, read.get(table, {}), previous) for table in KEYS}
    path = write_snapshot(folder, region, f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", tables)
    types = {str(row["instance_type"]): row["burstable"] == "1" for row in tables["ec2_types"]}
    left_out = sorted(name for name, burstable in types.items() if burstable and name not in burst_rules())
    counts = {table: sum(map(len, groups.values())) for table, groups in sorted(read.items())}
    return Refreshed(path, counts, sorted(types.keys() - all_types().keys()), left_out)


def _put(groups: dict[Group, list[Row]], table: str, row: Row) -> None:
    """Add a row; one of the same key replaces the earlier."""
    key = KEYS[table]
    same = groups.setdefault(tuple(str(row[name]) for name in (key[:-1] if table == "services" else key)), [])
    same[:] = [other for other in same if any(other[name] != row[name] for name in key)] + [row]


def _joined(table: str, read: Mapping[Group, list[Row]], previous: Path | None) -> list[Row]:
    kept: dict[Group, list[Row]] = {}
    for row in raw_rows(table, previous) if previous is not None else ():
        _put(kept, table, {**row, "source": source_of(row, previous or "")})
    newest = {**kept, **{group: rows for group, rows in read.items() if group not in kept or _day(rows) >= _day(kept[group])}}
    return [row for rows in newest.values() for row in rows]


def _day(rows: Sequence[Row]) -> date:
    return min((s.as_of or date.min) if isinstance(s := row["source"], Source) else date.min for row in rows)


def _pages_folder(folder: Path, region: str) -> Path:
    return folder / "prices" / region / ".pages"


def _kept(question: PriceQuestion, pages: Path) -> list[Path]:
    return sorted(pages.glob(f"{question.name}.[0-9]*.json"))


def _drop_old(pages: Path, now: datetime) -> None:
    first = min((file.stat().st_mtime for file in pages.glob("*.json")), default=None)
    if first is not None and now - datetime.fromtimestamp(first, UTC) > PAGES_KEPT:
        shutil.rmtree(pages)


def _camel(operation: str) -> str:
    """AWS's own name of an operation, of boto3's."""
    return "".join(word.capitalize() for word in operation.split("_"))


def _read(file: Path) -> Mapping[str, Any]:
    page: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return page


def _plain(items: Sequence[Any]) -> list[Any]:
    """What JSON can hold; a time, which no row needs, as text."""
    plain: list[Any] = json.loads(json.dumps(list(items), default=str))
    return plain
