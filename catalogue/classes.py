"""What does a database class or a cache node hold: vCPUs, memory, connections?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from catalogue.tables import EVERYWHERE, raw_rows, source_of

MIB = 1024 * 1024
BYTES_A_CONNECTION = {"PostgreSQL": 9_531_392, "MySQL": 12_582_880, "MariaDB": 12_582_880}
"""RDS User Guide, "Quotas and constraints": max_connections is DBInstanceClassMemory over this."""
MOST_CONNECTIONS = {"PostgreSQL": 5000, "MySQL": 16_000, "MariaDB": 16_000}
KEPT_RATIO, KEPT_BYTES = 0.0459, 154 * MIB
"""What RDS and its system keep of a class's memory before DBInstanceClassMemory: the line through what two PostgreSQL classes
were seen to allow (db.t2.small 198 connections, db.t2.medium 413; https://gist.github.com/josuamarcelc)."""


@dataclass(frozen=True, slots=True)
class DatabaseClass:
    """A class of RDS."""

    name: str
    vcpus: int
    memory_bytes: int
    source: str

    def connections(self, engine: str) -> int | None:
        """Return how many connections the default parameter group allows, modelled; None for an engine without a stated formula."""
        a_connection = BYTES_A_CONNECTION.get(engine)
        if a_connection is None:
            return None
        left = self.memory_bytes * (1 - KEPT_RATIO) - KEPT_BYTES
        return min(int(left / a_connection), MOST_CONNECTIONS[engine])


@dataclass(frozen=True, slots=True)
class CacheNode:
    """A node type of ElastiCache.

    Attributes
    ----------
    memory_bytes : int
        Redis' and Valkey's maxmemory, which is less than the machine has.
    """

    name: str
    vcpus: int
    memory_bytes: int
    source: str
    maxclients: int

    def connections(self, engine: str) -> int | None:
        """Return how many clients may be connected; Memcached's limit is a setting of its own, so None."""
        return None if engine == "Memcached" else self.maxclients


Service = Literal["rds", "elasticache"]


@cache
def database_classes() -> Mapping[str, DatabaseClass]:
    """Return every known class of RDS by its name ("db.t3.micro")."""
    rows = raw_rows("rds_classes", EVERYWHERE)
    return {r["db_class"]: DatabaseClass(r["db_class"], int(r["vcpus"]), int(r["memory_mib"]) * MIB, _source(r)) for r in rows}


@cache
def cache_nodes() -> Mapping[str, CacheNode]:
    """Return every known node type of ElastiCache by its name ("cache.t3.micro")."""
    rows = raw_rows("cache_nodes", EVERYWHERE)
    return {
        r["node_type"]: CacheNode(r["node_type"], int(r["vcpus"]), int(r["maxmemory_bytes"]), _source(r), int(r["maxclients"]))
        for r in rows
    }


def _source(row: Mapping[str, str]) -> str:
    return source_of(row, EVERYWHERE).name
