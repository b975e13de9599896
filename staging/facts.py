"""What is known of a stack: what it was asked to be, where it stands, and what a deployment was. Files say it to others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from evidence import SizeupError, is_alive

HOSTS: Mapping[str, str] = {"frontend": "example.run", "api": "api.example.run"}
"""Host class -> the Host header that the load balancer routes to it."""

TARGET_GROUPS: Mapping[str, str] = {"frontend": "moco-frontend", "api": "moco-api"}
"""Host class -> the name of its target group."""

DEMO_EMAIL = "demo@example.run"
DEMO_PASSWORD = "demo-password"  # noqa: S105 - public: the account of a stack that only loopback reaches


StackName = Literal["embedded", "moco"]


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start.

    Attributes
    ----------
    stack : str
        `embedded`, two light processes of ours; `moco`, a Spring Boot API, a Next.js frontend and what they need.
    api_memory_bytes, api_cpu_s : int, float
        Memory that an API process holds beside its own; CPU time that each of its requests burns (embedded).
    jvm : tuple of str
        Flags of the API's JVM beside those that let it size itself as on the present type; they win over these (moco).
    seed : int
        Of the boards that stand in the database.
    present : Mapping[str, str]
        Host class -> instance type, as the account says it.
    port : int
        Of the load balancer's listener; 0 is any free one.
    overlap_s : float
        How long a deployment keeps the old colour after its last request.
    metrics_every_s : float
        How often the load balancer's counts go to CloudWatch (into the minute that they belong to).
    """

    api_memory_bytes: int = 250 * 2**20
    api_cpu_s: float = 0.002
    seed: int = 0
    present: Mapping[str, str] = field(default_factory=lambda: {"frontend": "t3.small", "api": "t3.small"})
    region: str = "ap-northeast-2"
    port: int = 0
    overlap_s: float = 2.0
    metrics_every_s: float = 10.0
    stack: StackName = "embedded"
    jvm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackInfo:
    """Where a stack stands.

    Attributes
    ----------
    access_log : Path
        The load balancer's log: plain text, one line a finished request, flushed at once.
    trees : Path
        Which process trees are which host, replaced whenever that changes.
    load_balancer : str
        As its log names it: `app/moco-staging/50dc6c495c0c9188`.
    pids : Mapping
        proxy, moto: a pid; frontend, api: a list of pids (two API processes during a deployment).
    """

    alb_url: str
    hosts: Mapping[str, str]
    aws_endpoint_url: str
    access_log: Path
    trees: Path
    load_balancer: str
    target_groups: Mapping[str, str]
    region: str
    pids: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One swap of the API's colours, from the start of the new process to the end of the old one."""

    started_at: datetime
    ended_at: datetime
    from_color: str
    to_color: str


def boot_id() -> str | None:
    """Return what tells this boot of the machine from any other, None where the system doesn't say: ids and starts count from it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def stack_file(home: Path) -> Path:
    """Return where a stack says that it stands."""
    return home / "stack.json"


def key_file(home: Path) -> Path:
    """Return where the key lies that its owner's door asks for; readable by the owner alone."""
    return home / ".key"


def read_facts(home: Path) -> dict[str, Any]:
    """Read stack.json as it is; empty where there is none or it can't be read."""
    try:
        facts = json.loads(stack_file(home).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def read_stack(home: Path) -> StackInfo:
    """Return where the stack of `home` stands.

    Raises
    ------
    SizeupError
        Where no stack is served from there.
    """
    facts = read_facts(home)
    if "alb_url" not in facts or not is_alive(facts.get("owner")):
        raise SizeupError(f"{stack_file(home)}: no stack is served from there; start one with sizeup demo --serve.")
    return StackInfo(
        alb_url=facts["alb_url"], hosts=facts["hosts"], aws_endpoint_url=facts["aws_endpoint_url"], access_log=Path(facts["access_log"]),
        trees=Path(facts["trees"]), load_balancer=facts["load_balancer"], target_groups=facts["target_groups"], region=facts["region"],
        pids=facts["pids"],
    )  # fmt: skip


def info_facts(info: StackInfo) -> dict[str, Any]:
    """Return what stack.json says of `info`; `read_stack` reads it back."""
    return {
        "alb_url": info.alb_url, "hosts": dict(info.hosts), "aws_endpoint_url": info.aws_endpoint_url, "access_log": str(info.access_log),
        "trees": str(info.trees), "load_balancer": info.load_balancer, "target_groups": dict(info.target_groups), "region": info.region,
        "pids": dict(info.pids),
    }  # fmt: skip
