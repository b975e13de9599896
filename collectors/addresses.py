"""Which public IPv4 addresses does a stack have, whose are they, and which could it lose? Each is billed by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collectors.aws import Rows, SideCalls

NEEDS_ADDRESS = frozenset({"alb", "ec2", "nat", "other"})
"""Services that lose their function without a public address; a database and a cache are reached inside the network."""


def public_addresses(side: SideCalls, interfaces: Rows, instances: Rows, databases: Rows, monthly_usd: Decimal | None) -> Rows:
    """Return every public IPv4 address of a network's interfaces and instances, and those allocated to nothing."""
    found = {i["PublicIpAddress"]: (i["InstanceId"], "ec2") for i in instances if i.get("PublicIpAddress")}
    for interface in interfaces:
        found |= {ip: _owner(interface, databases) for ip in _public_ips(interface)}
    for elastic in side.call("ec2", "describe_addresses").get("Addresses", []):
        if not elastic.get("AssociationId") and not elastic.get("InstanceId"):
            found[elastic["PublicIp"]] = (elastic.get("AllocationId", elastic["PublicIp"]), "idle")
    price = None if monthly_usd is None else format(monthly_usd, "f")
    return [
        {"ip": ip, "owner": owner, "service": service, "needed": service in NEEDS_ADDRESS, "monthly_usd": price}
        for ip, (owner, service) in sorted(found.items(), key=lambda item: (item[1][1], item[1][0], item[0]))
    ]  # fmt: skip


def drop_command(address: Mapping[str, Any], region: str) -> str | None:
    """Return the aws command that takes a needless address away; None where there is none of one line.

    A cache has no public address of its own, so what wears one is not changed by a command here.
    """
    if address["service"] == "rds":
        return f"aws rds modify-db-instance --db-instance-identifier {address['owner']} --no-publicly-accessible --region {region}"
    if address["service"] == "idle" and str(address["owner"]).startswith("eipalloc-"):
        return f"aws ec2 release-address --allocation-id {address['owner']} --region {region}"
    return None


def _public_ips(interface: Mapping[str, Any]) -> set[str]:
    """Return the public addresses of an interface's private ones, of which it may have several."""
    private = [interface, *interface.get("PrivateIpAddresses", [])]
    return {ip for each in private if (ip := (each.get("Association") or {}).get("PublicIp"))}


def _owner(interface: Mapping[str, Any], databases: Rows) -> tuple[str, str]:
    """Tell whose a network interface is: AWS's services say it in its description, an instance in its attachment.

    Sources: user guides of Elastic Load Balancing ("ELB app/name/id"), RDS ("RDSNetworkInterface"), VPC ("Interface for NAT
    Gateway nat-...") and ElastiCache ("ElastiCache name").
    """
    description, requester = interface.get("Description", ""), interface.get("RequesterId", "")
    instance = interface.get("Attachment", {}).get("InstanceId")
    if description.startswith("ELB ") or requester == "amazon-elb":
        return description.removeprefix("ELB "), "alb"
    if description == "RDSNetworkInterface" or requester == "amazon-rds":
        return _database_of(interface, databases), "rds"
    if "NAT Gateway" in description:
        return description.rpartition(" ")[2], "nat"
    if description.startswith("ElastiCache"):
        return description.removeprefix("ElastiCache").strip() or "a cache", "elasticache"
    return (instance, "ec2") if instance else (interface["NetworkInterfaceId"], "other")


def _database_of(interface: Mapping[str, Any], databases: Rows) -> str:
    """Name the public database whose interface this is; where zone and security groups leave several, all of them."""
    public = [db for db in databases if db.get("PubliclyAccessible")]
    near = [db for db in public if _fits(interface, db)] or public
    return " or ".join(sorted(db["DBInstanceIdentifier"] for db in near)) or "a public database"


def _fits(interface: Mapping[str, Any], database: Mapping[str, Any]) -> bool:
    zones = {interface.get("AvailabilityZone")} & {database.get("AvailabilityZone"), database.get("SecondaryAvailabilityZone")}
    own = {group["GroupId"] for group in interface.get("Groups", [])}
    wanted = {group["VpcSecurityGroupId"] for group in database.get("VpcSecurityGroups", [])}
    return bool(zones) and (not wanted or own == wanted)
