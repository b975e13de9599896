"""The account that the embedded stack lives in, built by boto3 in moto: two hosts behind one load balancer, as in production.

What stands there: a VPC in two zones, the load balancer with its rules, one instance a host class, a public database, a
cache node, and five public IPv4 addresses: two of the load balancer's interfaces, two of the instances, one of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from staging.facts import HOSTS, TARGET_GROUPS

ALB_NAME = "moco-staging"
ALB_PORT = 80
TARGET_PORT = 8080
_TAGS = [{"Key": "project", "Value": "moco"}, {"Key": "environment", "Value": "staging"}]
_ROLE = "arn:aws:iam::123456789012:role/codedeploy"


@dataclass(frozen=True, slots=True)
class Account:
    """What was built: `load_balancer` as a log names it, ARNs by target group name, instance ids by host class."""

    load_balancer: str
    target_groups: Mapping[str, str]
    instances: Mapping[str, str]


class Clients:
    """boto3's clients for one endpoint, made when first used; nothing of the caller's environment is read for them."""

    def __init__(self, endpoint_url: str, region: str) -> None:
        self.endpoint_url, self.region = endpoint_url, region

    @cached_property
    def ec2(self) -> Any:
        return self._client("ec2")

    @cached_property
    def elbv2(self) -> Any:
        return self._client("elbv2")

    @cached_property
    def codedeploy(self) -> Any:
        return self._client("codedeploy")

    @cached_property
    def cloudwatch(self) -> Any:
        return self._client("cloudwatch")

    def _client(self, service: str) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.endpoint_url, region_name=self.region, aws_access_key_id="demo", aws_secret_access_key="demo",  # noqa: S106 - moto asks for some
            config=Config(proxies={}, retries={"max_attempts": 2}, connect_timeout=5, read_timeout=20),
        )  # fmt: skip

    def other(self, service: str) -> Any:
        """Return a client for a service that is asked once."""
        return self._client(service)


def build_account(clients: Clients, present: Mapping[str, str]) -> Account:
    """Build everything; `present` is host class -> instance type."""
    vpc, subnets = _network(clients)
    instances = {name: _instance(clients, name, present[name], subnet) for name, subnet in zip(HOSTS, subnets, strict=True)}
    load_balancer, groups = _load_balancer(clients, vpc, subnets, instances)
    for subnet in subnets:
        _public_interface(clients, subnet, f"ELB {load_balancer}")
    _public_interface(clients, subnets[0], "RDSNetworkInterface")
    _data_stores(clients, subnets)
    _deployments(clients)
    return Account(load_balancer, groups, instances)


def record_deployment(clients: Clients, color: str) -> str:
    """Note a deployment as CodeDeploy would; return its id. moto never moves it past `Created`."""
    revision = {"revisionType": "S3", "s3Location": {"bucket": "moco-releases", "key": f"api-{color}.zip", "bundleType": "zip"}}
    answer = clients.codedeploy.create_deployment(
        applicationName=TARGET_GROUPS["api"], deploymentGroupName="staging", revision=revision, description=f"to {color}",
    )  # fmt: skip
    return str(answer["deploymentId"])


def _network(clients: Clients) -> tuple[str, Sequence[str]]:
    vpc = clients.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        clients.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{clients.region}{zone}")["Subnet"]["SubnetId"]
        for n, zone in enumerate("ac")
    ]
    return vpc, subnets


def _instance(clients: Clients, name: str, kind: str, subnet: str) -> str:
    tags = [*_TAGS, {"Key": "Name", "Value": f"moco-{name}"}, {"Key": "class", "Value": name}]
    started = clients.ec2.run_instances(
        ImageId="ami-12345678", InstanceType=kind, MinCount=1, MaxCount=1, SubnetId=subnet,
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}],
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )  # fmt: skip
    instance = str(started["Instances"][0]["InstanceId"])
    address = clients.ec2.allocate_address(Domain="vpc")["AllocationId"]
    clients.ec2.associate_address(AllocationId=address, InstanceId=instance)
    return instance


def _load_balancer(clients: Clients, vpc: str, subnets: Sequence[str], instances: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    elb = clients.elbv2
    balancer = elb.create_load_balancer(Name=ALB_NAME, Subnets=list(subnets), Scheme="internet-facing", Type="application", Tags=_TAGS)
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    groups = {name: _target_group(elb, name, vpc, instances[kind]) for kind, name in TARGET_GROUPS.items()}
    listener = elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=ALB_PORT, DefaultActions=[_forward(groups[TARGET_GROUPS["frontend"]])],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    for rule in rules():
        if rule["priority"]:
            elb.create_rule(
                ListenerArn=listener, Priority=rule["priority"], Actions=[_forward(groups[rule["target_group"]])],
                Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": rule["hosts"]}}],
            )  # fmt: skip
    return arn.partition(":loadbalancer/")[2], groups


def rules() -> Sequence[Mapping[str, Any]]:
    """Return the listener's rules, of the account and of the stand-in alike; priority 0 is the default."""
    return [
        {"priority": 10, "target_group": TARGET_GROUPS["api"], "hosts": [HOSTS["api"]]},
        {"priority": 0, "target_group": TARGET_GROUPS["frontend"]},
    ]


def _target_group(elb: Any, name: str, vpc: str, instance: str) -> str:
    made = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=TARGET_PORT, VpcId=vpc, TargetType="instance", HealthCheckPath="/health",
    )  # fmt: skip
    arn = str(made["TargetGroups"][0]["TargetGroupArn"])
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance, "Port": TARGET_PORT}])
    return arn


def _forward(target_group_arn: str) -> Mapping[str, str]:
    return {"Type": "forward", "TargetGroupArn": target_group_arn}


def _public_interface(clients: Clients, subnet: str, description: str) -> None:
    """Make a network interface with a public address, as AWS's services make them in a customer's VPC, told by its description."""
    made = clients.ec2.create_network_interface(SubnetId=subnet, Description=description)
    address = clients.ec2.allocate_address(Domain="vpc")["AllocationId"]
    clients.ec2.associate_address(AllocationId=address, NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"])


def _data_stores(clients: Clients, subnets: Sequence[str]) -> None:
    rds, caches = clients.other("rds"), clients.other("elasticache")
    rds.create_db_subnet_group(DBSubnetGroupName="moco", DBSubnetGroupDescription="-", SubnetIds=list(subnets))
    caches.create_cache_subnet_group(CacheSubnetGroupName="moco", CacheSubnetGroupDescription="-", SubnetIds=list(subnets))
    rds.create_db_instance(
        DBInstanceIdentifier="moco", DBSubnetGroupName="moco", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        StorageType="gp2", PubliclyAccessible=True, MultiAZ=False, MasterUsername="moco", MasterUserPassword="never-used",
    )  # fmt: skip
    caches.create_cache_cluster(
        CacheClusterId="moco", CacheSubnetGroupName="moco", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
    )  # fmt: skip


def _deployments(clients: Clients) -> None:
    name = TARGET_GROUPS["api"]
    clients.codedeploy.create_application(applicationName=name, computePlatform="Server")
    clients.codedeploy.create_deployment_group(
        applicationName=name, deploymentGroupName="staging", serviceRoleArn=_ROLE,
        loadBalancerInfo={"targetGroupInfoList": [{"name": name}]},
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    )  # fmt: skip
