"""The databases and caches beside a load balancer: those of its network, and those whose network nobody states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.aws import Rows, SideCalls


def databases_in(side: SideCalls, vpc: str) -> Rows:
    """Return the database instances of a network as RDS describes them."""
    every = side.pages("rds", "describe_db_instances", "DBInstances")
    return [db for db in every if (db.get("DBSubnetGroup") or {}).get("VpcId") in (None, "", vpc)]


def describe_database(db: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": db["DBInstanceIdentifier"], "class": db["DBInstanceClass"], "engine": db["Engine"], "multi_az": bool(db.get("MultiAZ")),
        "public": bool(db.get("PubliclyAccessible")), "storage_gib": db.get("AllocatedStorage"), "storage_type": db.get("StorageType"),
    }  # fmt: skip


def caches_in(side: SideCalls, vpc: str) -> Rows:
    """Return the cache clusters of a network as topology.json has them."""
    clusters = side.pages("elasticache", "describe_cache_clusters", "CacheClusters")
    networks = _cache_networks(side) if any(c.get("CacheSubnetGroupName") for c in clusters) else {}
    return [
        {"id": c["CacheClusterId"], "class": c["CacheNodeType"], "engine": c["Engine"], "nodes": c["NumCacheNodes"]}
        for c in clusters if networks.get(c.get("CacheSubnetGroupName", "")) in (None, "", vpc)
    ]  # fmt: skip


def _cache_networks(side: SideCalls) -> dict[str, str]:
    """Return the network of each subnet group, by its name."""
    groups = side.pages("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups")
    return {group["CacheSubnetGroupName"]: group.get("VpcId", "") for group in groups}
