"""The lines that a person could run are ones that AWS's command line understands."""

from __future__ import annotations

import itertools
import re
import shlex
from decimal import Decimal

import boto3
import pytest
from botocore import xform_name

from sizing.money.orders import cache_order, database_order, instance_order, plan_order

SEOUL = "ap-northeast-2"
ORDERS = {
    "regional": instance_order("t3.small", 2, 1, "all_upfront", "standard", SEOUL),
    "zonal": instance_order("t3.small", 1, 3, "no_upfront", "convertible", SEOUL, zone="ap-northeast-2a"),
    "database": database_order("db.t4g.small", 1, 1, "partial_upfront", "postgres", SEOUL, multi_az=True),
    "cache": cache_order("cache.t3.micro", 1, 1, "no_upfront", "redis", SEOUL),
    "compute plan": plan_order("sp_compute", Decimal("0.013"), 1, "no_upfront", None, SEOUL),
    "ec2 plan": plan_order("sp_ec2", Decimal("0.013"), 1, "no_upfront", "t3", SEOUL),
}


@pytest.mark.parametrize("name", ORDERS)
def test_every_operation_and_option_is_in_the_service_model(name):
    """botocore's models, from which the AWS CLI makes its commands: an operation's input members are its options."""
    order = ORDERS[name]
    for line in (order.describe.removeprefix("OFFERING=$(").removesuffix(")"), order.purchase):
        aws, service, operation, *words = shlex.split(line)

        client = boto3.client(service, region_name=SEOUL, aws_access_key_id="x", aws_secret_access_key="x")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation.replace("-", "_")])
        known = {xform_name(member, "-") for member in model.input_shape.members} | {"region", "query", "output"}

        assert aws == "aws"
        options = {word.removeprefix("--").removeprefix("no-") for word in words if word.startswith("--")}
        assert options <= known


@pytest.mark.parametrize("name", ORDERS)
def test_every_value_is_one_that_the_service_model_lists(name):
    """Enumerations of botocore's models, and the filters that DescribeSavingsPlansOfferings names."""
    order = ORDERS[name]
    for line in (order.describe.removeprefix("OFFERING=$(").removesuffix(")"), order.purchase):
        _, service, operation, *words = shlex.split(line)
        client = boto3.client(service, region_name=SEOUL, aws_access_key_id="x", aws_secret_access_key="x")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation.replace("-", "_")])
        members = {xform_name(member, "-"): shape for member, shape in model.input_shape.members.items()}

        given = {word.removeprefix("--"): value for word, value in itertools.pairwise(words) if word.startswith("--")}
        for option, shape in members.items():
            each = getattr(shape, "member", shape)
            if option in given and getattr(each, "enum", None):
                assert given[option] in each.enum, option
            if option == "filters" and service == "savingsplans" and option in given:
                names = set(re.findall(r"name=(\w+)", " ".join(words)))
                assert names == {"instanceFamily", "region"}
                assert names <= set(each.members["name"].enum)


@pytest.mark.parametrize("name", ORDERS)
def test_terraform_lines_close_what_they_open(name):
    """HCL: every brace and quote has its partner; what is counted in dollars or instances stands in it."""
    text = ORDERS[name].terraform

    assert text.count("{") == text.count("}")
    assert text.count('"') % 2 == 0
    assert re.search(r'resource "(terraform_data|aws_[a-z_]+)" "[a-z0-9_]+" \{', text)


def test_postgres_is_postgresql_where_it_is_reserved():
    """RDS API, DescribeReservedDBInstancesOfferings: ProductDescription."""
    assert "--product-description postgresql" in ORDERS["database"].describe
    assert 'product_description = "postgresql"' in ORDERS["database"].terraform
