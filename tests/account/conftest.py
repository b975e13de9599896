"""The stack's account as `sizeup` meets it: moto behind the stand-in, which knows what moto doesn't and refuses what it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sizeup.main import run
from staging.aws import AwsStandIn, AwsWorld, Trouble, start_aws
from staging.embedded.account import Clients, build_account, record_deployment

REGION = "ap-northeast-2"
BUCKET = "alb-logs-123456789012"


@dataclass(frozen=True)
class Account:
    stand_in: AwsStandIn
    load_balancer: str
    instances: dict[str, str]


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """The moco stack, whose load balancer writes its log into a bucket."""
    from moto.server import ThreadedMotoServer

    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    clients = Clients(f"http://{host}:{port}", REGION)
    built = build_account(clients, {"frontend": "t2.micro", "api": "t3.small"})
    record_deployment(clients, "green")
    write_logs_to(clients, BUCKET)
    with start_aws(AwsWorld(), beyond=clients.endpoint_url) as stand_in:
        yield Account(stand_in, built.load_balancer, dict(built.instances))
    moto.stop()


def write_logs_to(clients: Clients, bucket: str) -> None:
    s3, elb = clients.other("s3"), clients.elbv2
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    arn = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    told = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": k, "Value": v} for k, v in told.items()])


@pytest.fixture
def stand_in(account: Account) -> AwsStandIn:
    """The stand-in without any trouble, and with nothing asked yet."""
    account.stand_in.world.trouble = Trouble()
    account.stand_in.world.lists.clear()
    account.stand_in.world.metrics.clear()
    account.stand_in.world.plan_state = None
    account.stand_in.calls.clear()
    return account.stand_in


@pytest.fixture
def sizeup(stand_in: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line in an empty folder, with the stand-in as AWS; returns exit code, output and conversation."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", stand_in.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("SIZEUP_CACHE", str(tmp_path / "cache"))

    def call(*args: str) -> tuple[int, str, str]:
        code = run(list(args))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
