"""What the hosts and the account really did, written into a run: host sampler, CloudWatch, topology, this machine's memory."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collectors.agent_spool import SpoolFrames, read_spool
    from collectors.aws import AwsSession
    from collectors.memory import LookMoment, fullest, measure_memory, watch_memory
    from collectors.registry import Collector, collectors
    from collectors.sampler import SamplerHandle, start_sampler
    from collectors.sources.cloudwatch import collect_cloudwatch, planned_metrics
    from collectors.sources.topology import discover_topology

__all__ = [
    "AwsSession", "Collector", "LookMoment", "SamplerHandle", "SpoolFrames", "collect_cloudwatch", "collectors", "discover_topology",
    "fullest", "measure_memory", "planned_metrics", "read_spool", "start_sampler", "watch_memory",
]  # fmt: skip

# Lazy: whoever wants one of them pays for neither boto3's nor psutil's import of the others.
_LAZY = {
    "AwsSession": "aws", "Collector": "registry", "LookMoment": "memory", "SamplerHandle": "sampler", "SpoolFrames": "agent_spool",
    "collect_cloudwatch": "sources.cloudwatch", "collectors": "registry", "discover_topology": "sources.topology", "fullest": "memory",
    "measure_memory": "memory", "planned_metrics": "sources.cloudwatch", "read_spool": "agent_spool",
    "start_sampler": "sampler", "watch_memory": "memory",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
