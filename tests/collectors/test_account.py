"""Topology and CloudWatch against moto's own server, with an account that the test builds by boto3."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from moto_account import REGION, client

from collectors import AwsSession, SideCalls, agent_metrics, collect_cloudwatch, collectors, discover_topology
from evidence import TABLES, SizeupError, micros

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CLASSES = {"frontend": "moco-frontend", "api": "moco-api"}


@dataclass(frozen=True)
class Account:
    endpoint_url: str
    load_balancer: str
    groups: dict[str, str]
    instances: dict[str, str]

    def session(self) -> AwsSession:
        return AwsSession(REGION, self.endpoint_url)

    def client(self, service: str) -> Any:
        return client(self.endpoint_url, service)


@pytest.fixture(scope="module")
def account(moto_url: str) -> Account:
    """Two hosts behind a load balancer in two zones, a public database, a cache, five public addresses, a deployment."""
    ec2, elb = client(moto_url, "ec2"), client(moto_url, "elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ac")
    ]
    tags = [{"Key": "environment", "Value": "staging"}]
    balancer = elb.create_load_balancer(Name="moco-staging", Subnets=subnets, Scheme="internet-facing", Tags=tags)["LoadBalancers"][0]
    instances, groups = {}, {}
    for name, kind, subnet in (("frontend", "t2.micro", subnets[0]), ("api", "t3.small", subnets[1])):
        instances[name] = _instance(ec2, kind, subnet, detailed=name == "api")
        groups[name] = elb.create_target_group(Name=CLASSES[name], Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
        elb.register_targets(TargetGroupArn=groups[name], Targets=[{"Id": instances[name], "Port": 8080}])
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": groups["frontend"]}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    for priority, conditions in ((20, [_paths("/api/*")]), (10, [_hosts("api.example.run")])):
        forward = [{"Type": "forward", "TargetGroupArn": groups["api"]}]
        elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=forward)
    name = balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
    for description, subnet in ((f"ELB {name}", subnets[0]), (f"ELB {name}", subnets[1]), ("RDSNetworkInterface", subnets[0])):
        interface = ec2.create_network_interface(SubnetId=subnet, Description=description)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.associate_address(AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"], NetworkInterfaceId=interface)
    _stores_and_deployment(moto_url, vpc, subnets)
    _other_network(moto_url)
    return Account(moto_url, name, groups, instances)


def _instance(ec2: Any, kind: str, subnet: str, *, detailed: bool) -> str:
    instance = ec2.run_instances(
        ImageId="ami-12345678", InstanceType=kind, MinCount=1, MaxCount=1, SubnetId=subnet, Monitoring={"Enabled": detailed},
        CreditSpecification={"CpuCredits": "standard" if kind.startswith("t2") else "unlimited"},
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}],
    )["Instances"][0]["InstanceId"]  # fmt: skip
    ec2.associate_address(AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"], InstanceId=instance)
    return instance


def _hosts(*names: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(names)}}


def _paths(*patterns: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}


def _stores(url: str, database: str, cache: str, network: str, subnets: list[str]) -> None:
    rds, caches = client(url, "rds"), client(url, "elasticache")
    rds.create_db_subnet_group(DBSubnetGroupName=network, DBSubnetGroupDescription="-", SubnetIds=subnets)
    caches.create_cache_subnet_group(CacheSubnetGroupName=network, CacheSubnetGroupDescription="-", SubnetIds=subnets)
    rds.create_db_instance(
        DBInstanceIdentifier=database, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, PubliclyAccessible=True,
        DBSubnetGroupName=network, MasterUsername="moco", MasterUserPassword="never-used",
    )  # fmt: skip
    caches.create_cache_cluster(
        CacheClusterId=cache, CacheNodeType="cache.t3.micro", Engine="redis", NumCacheNodes=1, CacheSubnetGroupName=network
    )


def _other_network(url: str) -> None:
    """What is none of the load balancer's: another network with stores of its own."""
    ec2 = client(url, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    _stores(url, "elsewhere", "elsewhere", "other-network", [subnet])


def _stores_and_deployment(url: str, vpc: str, subnets: list[str]) -> None:
    _stores(url, "moco", "tokens", "own-network", subnets)
    deploy, group = client(url, "codedeploy"), {"applicationName": "moco-api", "deploymentGroupName": "blue-green"}
    deploy.create_application(applicationName="moco-api", computePlatform="Server")
    deploy.create_deployment_group(**group, serviceRoleArn="arn:aws:iam::123456789012:role/x")
    bundle = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "zip"}}
    deploy.create_deployment(**group, revision=bundle)


@pytest.fixture(scope="module")
def walked(account: Account) -> tuple[dict[str, Any], AwsSession]:
    aws = account.session()
    found = discover_topology(aws, "moco-staging", classes=CLASSES, as_of=NOW, address_monthly_usd=Decimal("0.005") * 730)
    return found, aws


@pytest.fixture(scope="module")
def topology(walked: tuple[dict[str, Any], AwsSession]) -> dict[str, Any]:
    return walked[0]


def test_the_load_balancer_is_told_with_its_rules_in_their_order(topology, account):
    """As built: api by host and by path, everything else to the frontend."""
    balancer = topology["load_balancer"]

    assert (balancer["name"], balancer["scheme"]) == (account.load_balancer, "internet-facing")
    assert balancer["zones"] == [f"{REGION}a", f"{REGION}c"]
    assert balancer["listeners"] == [{"port": 80, "protocol": "HTTP", "rules": [
        {"priority": 10, "hosts": ["api.example.run"], "paths": [], "target_group": "moco-api"},
        {"priority": 20, "hosts": [], "paths": ["/api/*"], "target_group": "moco-api"},
        {"priority": None, "hosts": [], "paths": [], "target_group": "moco-frontend"},
    ]}]  # fmt: skip


def test_each_target_group_is_told_with_its_class_and_targets(topology, account):
    """As built; the zone is the instance's where the target names none."""
    groups = {group["name"]: group for group in topology["target_groups"]}
    target = {"instance": account.instances["api"], "zone": f"{REGION}c", "port": 8080, "health": "healthy"}

    assert {name: group["class"] for name, group in groups.items()} == {"moco-api": "api", "moco-frontend": "frontend"}
    assert groups["moco-api"]["targets"] == [target]
    assert groups["moco-api"]["dimension"] == account.groups["api"].rpartition(":")[2]


def test_each_instance_is_told_with_type_credits_monitoring_and_volumes(topology, account):
    """As built: the frontend a t2.micro with basic, the API a t3.small with detailed monitoring; moto calls every one standard."""
    instances = {instance["class"]: instance for instance in topology["instances"]}

    assert instances["api"] == {
        "id": account.instances["api"], "class": "api", "type": "t3.small", "arch": "x86_64", "zone": f"{REGION}c",
        "credit_mode": "standard", "platform": "Linux/UNIX", "tenancy": "default", "monitoring": "detailed",
        "volumes": [{"id": ANY, "type": "gp3", "gib": 8, "iops": 3000, "mbps": None}], "private_ip": instances["api"]["private_ip"],
        "tags": {},
    }  # fmt: skip
    assert (instances["frontend"]["type"], instances["frontend"]["credit_mode"], instances["frontend"]["monitoring"]) == (
        "t2.micro", "standard", "basic",
    )  # fmt: skip


def test_five_public_addresses_are_told_and_the_databases_is_needless(topology, account):
    """As built; AWS's price list: 0.005 USD an hour each, 3.65 for 730 hours."""
    addresses = topology["addresses"]

    assert sorted((a["service"], a["owner"], a["needed"]) for a in addresses) == [
        ("alb", account.load_balancer, True), ("alb", account.load_balancer, True),
        *sorted(("ec2", instance, True) for instance in account.instances.values()), ("rds", "moco", False),
    ]  # fmt: skip
    assert {a["monthly_usd"] for a in addresses} == {"3.650"}
    assert all(a["ip"] for a in addresses)


def test_the_stores_and_the_deployment_are_told(topology):
    """As built; the deployment belongs to the class of its application's target group."""
    (deployment,) = topology["deployments"]

    assert topology["rds"] == [{
        "id": "moco", "class": "db.t3.micro", "engine": "postgres", "multi_az": False, "public": True,
        "storage_gib": 20, "storage_type": "gp2",
    }]  # fmt: skip
    assert topology["cache"] == [{"id": "tokens", "class": "cache.t3.micro", "engine": "redis", "nodes": 1}]
    assert (deployment["class"], deployment["ended_at"]) == ("api", None)
    assert (topology["schema"], topology["account"], topology["region"], topology["as_of"]) == (
        "1", "123456789012", REGION, "2026-11-24T03:00:00Z",
    )  # fmt: skip


def test_what_the_account_cannot_answer_is_an_empty_list_and_a_warning(topology):
    """moto lacks DescribeReservedInstances and answers 500."""
    said = " ".join(warning["message"] for warning in topology["warnings"])

    assert (topology["reservations"], topology["savings_plans"]) == ([], [])
    assert {warning["code"] for warning in topology["warnings"]} == {"topology_partial"}
    assert "ec2:DescribeReservedInstances" in said
    assert "html" not in said


def test_the_topology_can_be_written_as_json(topology):
    """topology.json is written as it is."""
    assert json.loads(json.dumps(topology)) == topology


def test_the_collectors_ask_for_exactly_the_actions_that_they_name(walked, account):
    """The read-only policy is made of what they name."""
    topology, walk = walked
    counts = account.session()
    collect_cloudwatch(counts, topology, NOW - timedelta(minutes=5), NOW)
    agent_metrics(SideCalls(counts))

    assert walk.calls == set(collectors()["topology"].calls)
    assert counts.calls == set(collectors()["cloudwatch"].calls)


def test_a_load_balancer_is_found_by_the_name_that_logs_use(account):
    """`app/name/id`."""
    topology = discover_topology(account.session(), account.load_balancer, classes={}, as_of=NOW)

    assert topology["load_balancer"]["name"] == account.load_balancer
    assert {group["class"] for group in topology["target_groups"]} == {None}
    assert {address["monthly_usd"] for address in topology["addresses"]} == {None}


def test_a_load_balancer_is_found_by_the_address_at_its_own_name(account):
    """What [target.NAME] url may be."""
    address = f"http://{account.client('elbv2').describe_load_balancers()['LoadBalancers'][0]['DNSName']}/boards"

    topology = discover_topology(account.session(), address, classes={}, as_of=NOW)

    assert topology["load_balancer"]["name"] == account.load_balancer
    assert topology["load_balancer"]["tags"] == {"environment": "staging"}


def test_a_load_balancer_is_found_by_its_target_groups_where_the_address_is_the_services(account):
    """`url = "https://example.run"`: nothing at AWS says whose name that is."""
    topology = discover_topology(account.session(), "https://example.run", classes=CLASSES, as_of=NOW)

    assert topology["load_balancer"]["name"] == account.load_balancer


def test_another_load_balancer_of_the_same_name_is_not_taken_for_it(account):
    """`app/name/id` of one that was deleted and made anew."""
    with pytest.raises(SizeupError, match=r'load balancer "app/moco-staging/0123456789abcdef": .* none of that name, only moco-staging'):
        discover_topology(account.session(), "app/moco-staging/0123456789abcdef", classes={}, as_of=NOW)


def test_an_unknown_load_balancer_is_a_sentence_that_names_those_there_are(account):
    with pytest.raises(SizeupError, match=r'load balancer "moco-prod": .* only moco-staging; mend alb'):
        discover_topology(account.session(), "moco-prod", classes={}, as_of=NOW)


def test_counts_come_back_as_rows_of_metrics_and_a_minute_without_data_is_none(topology, account):
    """As put: 120 requests in one minute, none in the next, 60 in the third."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    minutes = [now - timedelta(minutes=10 - n) for n in range(3)]
    _put(account, topology, "RequestCount", "Count", {minutes[0]: 120.0, minutes[2]: 60.0})
    _put(account, topology, "TargetResponseTime", "Seconds", {minutes[0]: 0.025})

    rows = collect_cloudwatch(account.session(), topology, now - timedelta(minutes=15), now)

    names = [column.name for column in TABLES["metrics"]]
    api = [dict(zip(names, row, strict=True)) for row in rows if "targetgroup/moco-api" in row[3]]
    assert [(row["at"], row["metric"], row["value"]) for row in api] == [
        (micros(minutes[0]), "RequestCount", 120.0), (micros(minutes[0]), "TargetResponseTime", 0.025),
        (micros(minutes[2]), "RequestCount", 60.0),
    ]  # fmt: skip
    assert json.loads(api[0]["dimensions"]) == {"LoadBalancer": account.load_balancer, "TargetGroup": _api_dimension(topology)}
    assert (api[1]["statistic"], api[1]["unit"], api[1]["period_s"], api[1]["region"]) == ("Average", "Seconds", 60, REGION)


def _put(account: Account, topology: dict[str, Any], name: str, unit: str, values: dict[datetime, float]) -> None:
    named = {"LoadBalancer": account.load_balancer, "TargetGroup": _api_dimension(topology)}
    metric = {"MetricName": name, "Dimensions": [{"Name": key, "Value": value} for key, value in named.items()], "Unit": unit}
    data = [metric | {"Timestamp": at, "Value": value} for at, value in values.items()]
    account.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=data)


def _api_dimension(topology: dict[str, Any]) -> str:
    return next(group["dimension"] for group in topology["target_groups"] if group["class"] == "api")
