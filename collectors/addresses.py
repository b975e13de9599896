"""Which public IPv4 addresses does a stack have, whose are they, and which could it lose? Each is billed by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collectors.aws import Rows, SideCalls

NEEDS_ADDRESS = frozenset({"alb", "ec2", "nat", "other"})
"""Services that lose their function without a public address; a database and a cache are reached inside the network."""


def public_addresses(
    side: SideCalls, balancer: Mapping[str, Any], instances: Rows, databases: Rows, monthly_usd: Decimal | None
) -> Rows:
    """Return every public IPv4 address of the load balancer's network, and those allocated to nothing."""
    inside = [{"Name": "vpc-id", "Values": [balancer["VpcId"]]}]
    interfaces = side.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=inside)
    found = {i["PublicIpAddress"]: (i["InstanceId"], "ec2") for i in instances if i.get("PublicIpAddress")}
    found |= {n["Association"]["PublicIp"]: _owner(n, databases) for n in interfaces if n.get("Association", {}).get("PublicIp")}
    for elastic in side.call("ec2", "describe_addresses").get("Addresses", []):
        if not elastic.get("AssociationId") and not elastic.get("InstanceId"):
            found[elastic["PublicIp"]] = (elastic.get("AllocationId", elastic["PublicIp"]), "idle")
    price = None if monthly_usd is None else format(monthly_usd, "f")
    return [
        {"ip": ip, "owner": owner, "service": service, "needed": service in NEEDS_ADDRESS, "monthly_usd": price}
        for ip, (owner, service) in sorted(found.items(), key=lambda item: (item[1][1], item[1][0], item[0]))
    ]  # fmt: skip


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
        public = [db["DBInstanceIdentifier"] for db in databases if db.get("PubliclyAccessible")]
        return public[0] if len(public) == 1 else "a public database", "rds"
    if "NAT Gateway" in description:
        return description.rpartition(" ")[2], "nat"
    if description.startswith("ElastiCache"):
        return description.removeprefix("ElastiCache").strip() or "a cache", "elasticache"
    return (instance, "ec2") if instance else (interface["NetworkInterfaceId"], "other")
