"""How a purchase would be made, for a person to do: AWS's command lines and Terraform's. This program runs none of them.

An offering's id is AWS's own and differs by region, so the first line asks for it. hashicorp/aws has resources for savings plans and
for reservations of RDS and ElastiCache, and none for those of EC2: there Terraform runs the command.

Sources: AWS CLI reference (ec2, rds, elasticache, savingsplans); Terraform registry, hashicorp/aws.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Service = Literal["ec2", "rds", "elasticache", "savingsplans"]
WORDS = {"all_upfront": "All Upfront", "partial_upfront": "Partial Upfront", "no_upfront": "No Upfront"}
YEAR_S = 31_536_000
PRODUCTS = {"postgres": "postgresql"}
"""Engines that RDS names otherwise where they are reserved."""
PLANS = {"sp_compute": "Compute", "sp_ec2": "EC2Instance", "sp_database": "Database"}


@dataclass(frozen=True, slots=True)
class Order:
    """One purchase in words that others understand.

    Attributes
    ----------
    describe : str
        Shows the offering, its id and today's price; buys nothing.
    purchase, terraform : str
        What would buy it.
    """

    describe: str
    purchase: str
    terraform: str

    def as_json(self, allowed: bool) -> dict[str, Any]:
        """The lines of a purchase that is not advised stay null."""
        purchase, terraform = (self.purchase, self.terraform) if allowed else (None, None)
        return {"run_by": "you", "describe": self.describe, "purchase": purchase, "terraform": terraform}

    def sentences(self) -> list[str]:
        """Write the lines for a terminal, marked as the reader's own to run."""
        return ["# yours to run; sizeup buys nothing", self.describe, self.purchase, "# or with Terraform", *self.terraform.split("\n")]


def instance_order(name: str, count: int, years: int, payment: str, offering: str, region: str, zone: str | None = None) -> Order:
    """A reservation of EC2, Linux, default tenancy; regional where no zone is named."""
    place = {"filters": "Name=scope,Values=Region"} if zone is None else {"availability-zone": zone}
    describe = _describe("ec2 describe-reserved-instances-offerings", region, {
        "instance-type": name, "product-description": "Linux/UNIX", "instance-tenancy": "default", "offering-class": offering,
        "offering-type": f'"{WORDS[payment]}"', "min-duration": years * YEAR_S, "max-duration": years * YEAR_S,
        **place,
    }, "ReservedInstancesOfferings[0].ReservedInstancesOfferingId", "--no-include-marketplace")  # fmt: skip
    purchase = (
        f"aws ec2 purchase-reserved-instances-offering --region {region} --reserved-instances-offering-id $OFFERING "
        f"--instance-count {count}"
    )
    terraform = f"""variable "offering_{_name(name)}" {{ description = "the id that the first line shows" }}
resource "terraform_data" "{_name(name)}" {{
  provisioner "local-exec" {{
    command = "{purchase.replace("$OFFERING", "${var.offering_" + _name(name) + "}")}"
  }}
}}"""
    return Order(describe, purchase, terraform)


def database_order(name: str, count: int, years: int, payment: str, engine: str, region: str, multi_az: bool = False) -> Order:
    """A reservation of an RDS class; `engine` as DescribeDBInstances names it."""
    product = PRODUCTS.get(engine, engine)
    describe = _describe("rds describe-reserved-db-instances-offerings", region, {
        "db-instance-class": name, "product-description": product, "offering-type": f'"{WORDS[payment]}"', "duration": years * YEAR_S,
    }, "ReservedDBInstancesOfferings[0].ReservedDBInstancesOfferingId", "--multi-az" if multi_az else "--no-multi-az")  # fmt: skip
    purchase = (
        f"aws rds purchase-reserved-db-instances-offering --region {region} --reserved-db-instances-offering-id $OFFERING "
        f"--db-instance-count {count}"
    )
    terraform = f"""data "aws_rds_reserved_instance_offering" "{_name(name)}" {{
  db_instance_class   = "{name}"
  duration            = {years * YEAR_S}
  multi_az            = {str(multi_az).lower()}
  offering_type       = "{WORDS[payment]}"
  product_description = "{product}"
}}
resource "aws_rds_reserved_instance" "{_name(name)}" {{
  offering_id    = data.aws_rds_reserved_instance_offering.{_name(name)}.offering_id
  instance_count = {count}
}}"""
    return Order(describe, purchase, terraform)


def cache_order(name: str, count: int, years: int, payment: str, product: str, region: str) -> Order:
    """A reservation of ElastiCache nodes; `product` as ElastiCache names it: redis, valkey or memcached."""
    describe = _describe("elasticache describe-reserved-cache-nodes-offerings", region, {
        "cache-node-type": name, "product-description": product, "offering-type": f'"{WORDS[payment]}"', "duration": years * YEAR_S,
    }, f"ReservedCacheNodesOfferings[?ProductDescription=='{product}']|[0].ReservedCacheNodesOfferingId")  # fmt: skip
    purchase = (
        f"aws elasticache purchase-reserved-cache-nodes-offering --region {region} --reserved-cache-nodes-offering-id $OFFERING "
        f"--cache-node-count {count}"
    )
    terraform = f"""data "aws_elasticache_reserved_cache_node_offering" "{_name(name)}" {{
  cache_node_type     = "{name}"
  duration            = "P{years}Y"
  offering_type       = "{WORDS[payment]}"
  product_description = "{product}"
}}
resource "aws_elasticache_reserved_cache_node" "{_name(name)}" {{
  reserved_cache_nodes_offering_id = data.aws_elasticache_reserved_cache_node_offering.{_name(name)}.offering_id
  cache_node_count                 = {count}
}}"""
    return Order(describe, purchase, terraform)


def plan_order(kind: str, commit_usd_per_h: Decimal, years: int, payment: str, family: str | None, region: str) -> Order:
    """A savings plan; an EC2 Instance plan is of a family in a region."""
    only = f" --filters name=instanceFamily,values={family} name=region,values={region}" if kind == "sp_ec2" else ""
    describe = (
        f'OFFERING=$(aws savingsplans describe-savings-plans-offerings --plan-types {PLANS[kind]} --payment-options "{WORDS[payment]}" '
        f'--durations {years * YEAR_S} --currencies USD{only} --query "searchResults[0].offeringId" --output text)'
    )
    usd = f"{commit_usd_per_h:f}"
    purchase = f"aws savingsplans create-savings-plan --savings-plan-offering-id $OFFERING --commitment {usd}"
    terraform = f"""variable "offering_{_name(kind)}" {{ description = "the id that the first line shows" }}
resource "aws_savingsplans_savings_plan" "{_name(kind)}" {{
  savings_plan_offering_id = var.offering_{_name(kind)}
  commitment               = "{usd}"
}}"""
    return Order(describe, purchase, terraform)


def _describe(operation: str, region: str, options: dict[str, Any], query: str, *flags: str) -> str:
    """Ask for an offering's id; it lands in $OFFERING."""
    asked = " ".join([f"aws {operation} --region {region}", *(f"--{name} {value}" for name, value in options.items()), *flags])
    return f'OFFERING=$({asked} --query "{query}" --output text)'


def _name(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")
