"""A host was watched for a minute: what would it need on each type, at rest and while a deployment runs two copies?

The answer is provisional whatever it says: nothing was loaded, and what a service holds at its peak was not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from catalogue import InstanceType
from evidence import Unknown, Warn
from sizing.jvm import JvmMemory, held_elsewhere_bytes, held_when_capped_bytes

OTHER = "other"
SMALL_SHARE = 0.01
CACHE_FLOOR_BYTES = (24 << 20, 64 << 20)
"""The least and the most page cache that a host keeps warm; the same range as sizing.model.memory's."""

Fits = Literal["yes", "with_lever", "no", "unknown"]


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """What the processes of one name and colour held; `pss_bytes` is None where not all of them may be read."""

    group: str
    color: str | None
    pids: int
    pss_bytes: int | None
    rss_bytes: int
    jvm: JvmMemory | None = None

    @property
    def held_bytes(self) -> int:
        """PSS, or RSS where there is none: too much, as shared pages count in each process."""
        return self.rss_bytes if self.pss_bytes is None else self.pss_bytes


@dataclass(frozen=True, slots=True)
class HostMemory:
    """A host at the moment of the minute at which it held the most.

    Attributes
    ----------
    system_bytes : int
        Kernel and what belongs to no process: MemTotal − MemFree − page cache that no process maps − Σ PSS, at least 0.
    page_cache_floor_bytes : int
        Page cache to keep warm (`page_cache_floor`).
    """

    host: str
    seconds: float
    total_bytes: int
    available_bytes: int
    system_bytes: int
    page_cache_floor_bytes: int
    groups: tuple[GroupMemory, ...]

    @property
    def held_bytes(self) -> int:
        return sum(group.held_bytes for group in self.groups) + self.system_bytes


@dataclass(frozen=True, slots=True)
class TypeFit:
    """Whether one type holds it.

    Attributes
    ----------
    need_deploy_bytes : int or None
        With a second copy of the doubled group; None where nobody knows which that is.
    need_with_lever_bytes : int or None
        What is left to hold once `lever` is pulled; at a deployment where the lever is for that.
    """

    type: str
    arch: str
    usable_bytes: int
    usable_basis: str
    need_bytes: int
    need_deploy_bytes: int | None
    need_with_lever_bytes: int | None
    fits: Fits
    fits_deploy: Fits
    lever: str | None
    monthly_usd: Decimal | None

    @property
    def whole(self) -> bool:
        """Whether it holds the host as it is, at rest and, where that can be judged, while two copies run."""
        return self.fits == "yes" and self.fits_deploy in ("yes", "unknown")


@dataclass(frozen=True, slots=True)
class LookResult:
    """The whole answer, cheapest type first; `as_json` is the body of the reference's look document."""

    memory: HostMemory
    doubled: str | None
    types: tuple[TypeFit, ...]
    warnings: tuple[Warn, ...]
    unknowns: tuple[Mapping[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        memory = self.memory
        groups = [_group_json(group) for group in memory.groups]
        return {
            "host": memory.host, "seconds": memory.seconds,
            "memory": {
                "total_bytes": memory.total_bytes, "available_bytes": memory.available_bytes, "kernel_bytes": memory.system_bytes,
                "groups": groups,
            },
            "system_bytes": memory.system_bytes, "page_cache_floor_bytes": memory.page_cache_floor_bytes, "doubled": self.doubled,
            "types": [asdict(fit) for fit in self.types], "provisional": True,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes to hold at rest, and while the doubled group runs twice (None: which it is, nobody knows)."""

    steady: int
    deploy: int | None


def judge_look(
    memory: HostMemory, types: Iterable[InstanceType], monthly_usd: Mapping[str, Decimal | None], *, two_copies: bool = True
) -> LookResult:
    """Judge each type against what the host held.

    Parameters
    ----------
    monthly_usd : Mapping[str, Decimal or None]
        A month on demand by type; None where there is no price.
    two_copies : bool
        Whether a deployment runs two copies, as blue and green do; else it holds no more than a host at rest.
    """
    doubled = doubled_group(memory.groups)
    fits = [_judge_type(memory, instance, monthly_usd.get(instance.name), doubled, two_copies) for instance in types]
    fits.sort(key=lambda fit: (fit.monthly_usd is None, fit.monthly_usd or 0, fit.type))
    return LookResult(memory, doubled, tuple(fits), tuple(_warnings(memory)), tuple(_unknowns(doubled if two_copies else "", fits)))


def doubled_group(groups: Sequence[GroupMemory]) -> str | None:
    """Return the group that a deployment runs twice: the one with a colour, else the largest JVM, else nobody knows."""
    coloured = [group for group in groups if group.color is not None]
    likely = coloured or [group for group in groups if group.jvm is not None]
    return max(likely, key=lambda group: group.held_bytes).group if likely else None


def page_cache_floor(active_bytes: int) -> int:
    """Return the page cache to keep warm: file pages in use that no process maps, within a floor and a ceiling.

    What a process maps (binaries, libraries) stands in its PSS already. What else is read again and again (logs, data,
    files served) is the kernel's list Active(file) less those; below 24 MiB every fault would go to the disk, and beyond
    64 MiB it is cache that is there because memory was free.
    """
    least, most = CACHE_FLOOR_BYTES
    return min(max(active_bytes, least), most)


def merge_small(groups: Iterable[GroupMemory]) -> tuple[GroupMemory, ...]:
    """Put groups under 1 % of the sum together as `other`, largest group first; JVMs and coloured groups stay themselves."""
    ordered = sorted(groups, key=lambda group: -group.held_bytes)
    least = SMALL_SHARE * sum(group.held_bytes for group in ordered)
    small = [g for g in ordered if g.held_bytes < least and g.jvm is None and g.color is None]
    kept = [g for g in ordered if g not in small]
    if not small:
        return tuple(kept)
    pss = [g.pss_bytes for g in small if g.pss_bytes is not None]
    known = sum(pss) if len(pss) == len(small) else None
    return (*kept, GroupMemory(OTHER, None, sum(g.pids for g in small), known, sum(g.rss_bytes for g in small)))


def _judge_type(memory: HostMemory, instance: InstanceType, monthly: Decimal | None, doubled: str | None, two_copies: bool) -> TypeFit:
    """Try the host as it is, then with its heaps capped, then with the old copy stopped before the new one starts."""
    usable = instance.usable_bytes
    plain = _need(memory, doubled, two_copies, lambda group: _held_there(group, memory.total_bytes, usable))
    capped = _need(memory, doubled, two_copies, lambda group: _held_capped(group, memory.total_bytes, usable))
    lever, left = _lever(plain, capped, usable)
    return TypeFit(
        type=instance.name, arch=instance.arch, usable_bytes=usable, usable_basis=instance.usable_basis, need_bytes=plain.steady,
        need_deploy_bytes=plain.deploy, need_with_lever_bytes=left, fits=_fits(plain.steady, (capped.steady,), usable),
        fits_deploy=_fits(plain.deploy, (capped.deploy, plain.steady), usable), lever=lever, monthly_usd=monthly,
    )  # fmt: skip


def _need(memory: HostMemory, doubled: str | None, two_copies: bool, held: Callable[[GroupMemory], int]) -> Need:
    """Add up one copy of each group, the kernel and the cache; a deployment holds one more copy of the doubled one."""
    copies: dict[str, int] = {}
    for group in memory.groups:
        copies[group.group] = max(held(group), copies.get(group.group, 0))
    steady = sum(copies.values()) + memory.system_bytes + memory.page_cache_floor_bytes
    if not two_copies:
        return Need(steady, steady)
    return Need(steady, None if doubled is None else steady + copies[doubled])


def _held_there(group: GroupMemory, here_bytes: int, there_bytes: int) -> int:
    return group.held_bytes if group.jvm is None else held_elsewhere_bytes(group.held_bytes, group.jvm, here_bytes, there_bytes)


def _held_capped(group: GroupMemory, here_bytes: int, there_bytes: int) -> int:
    there = _held_there(group, here_bytes, there_bytes)
    capped = None if group.jvm is None else held_when_capped_bytes(group.held_bytes, group.jvm)
    return there if capped is None else min(there, capped)


def _fits(need: int | None, with_lever: Iterable[int | None], usable: int) -> Fits:
    if need is None:
        return "unknown"
    if need <= usable:
        return "yes"
    return "with_lever" if any(left is not None and left <= usable for left in with_lever) else "no"


def _lever(plain: Need, capped: Need, usable: int) -> tuple[str | None, int | None]:
    """Return the one lever that helps the most, and what is left to hold with it: a capped heap before a stopped service."""
    if plain.steady <= usable and (plain.deploy is None or plain.deploy <= usable):
        return None, None
    if capped.deploy is not None and capped.deploy <= usable:
        return "cap_heap", capped.deploy
    if plain.steady <= usable:
        return "stop_first", plain.steady
    return ("cap_heap", capped.steady) if capped.steady <= usable else (None, None)


def _warnings(memory: HostMemory) -> Iterable[Warn]:
    unread = ", ".join(dict.fromkeys(group.group for group in memory.groups if group.pss_bytes is None))
    if unread:
        yield Warn("pss_unreadable", f"PSS of {unread} may not be read, so RSS counts there, which is too much; root may read the most.")


def _unknowns(doubled: str | None, fits: Iterable[TypeFit]) -> Iterable[Mapping[str, str]]:
    if doubled is None:
        why = "no JVM runs here and no group has a color, so nobody knows what a deployment runs twice"
        yield Unknown(why, "give the group that deploys a color in sizeup.toml, [class.NAME] groups").entry("doubled")
    for at, fit in enumerate(fits):
        if fit.monthly_usd is None:
            yield Unknown(f"no price for {fit.type} in this region", "name another region with --region").entry(f"types[{at}].monthly_usd")


def _group_json(group: GroupMemory) -> dict[str, Any]:
    jvm = group.jvm
    return {
        "group": group.group, "color": group.color, "pids": group.pids, "pss_bytes": group.pss_bytes, "rss_bytes": group.rss_bytes,
        "jvm": None if jvm is None else asdict(jvm),
    }  # fmt: skip
