"""The stand-in fails as AWS does, for its own services and for those that a moto server answers behind it."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from moto_process import moto_server

from staging.aws import AwsWorld, Trouble, start_aws


@pytest.fixture(scope="module")
def beyond(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def server(beyond):
    with start_aws(AwsWorld(), beyond=beyond) as stand_in:
        yield stand_in


@pytest.fixture
def aws(server):
    server.world = AwsWorld()
    server.calls.clear()
    server.answered.clear()
    return server


def client(aws, service, attempts=1, read_s=5):
    config = Config(proxies={}, read_timeout=read_s, retries={"total_max_attempts": attempts, "mode": "standard"})
    return boto3.client(
        service, region_name="ap-northeast-2", endpoint_url=aws.url, aws_access_key_id="x", aws_secret_access_key="x", config=config,
    )  # fmt: skip


CALLS = [
    ("ec2", "describe_instances", "ec2:DescribeInstances"),
    ("elbv2", "describe_load_balancers", "elasticloadbalancing:DescribeLoadBalancers"),
    ("cloudwatch", "list_metrics", "cloudwatch:ListMetrics"),
    ("codedeploy", "list_deployments", "codedeploy:ListDeployments"),
    ("s3", "list_buckets", "s3:ListAllMyBuckets"),
    ("sts", "get_caller_identity", "sts:GetCallerIdentity"),
]


@pytest.mark.parametrize(("service", "operation", "action"), CALLS)
def test_what_has_no_file_here_is_answered_by_moto(aws, service, operation, action):
    """EC2's query, the query, JSON and REST protocols, as boto3 speaks them."""
    answer = getattr(client(aws, service), operation)()

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert aws.calls == [action]


@pytest.mark.parametrize(("service", "operation", "action"), CALLS)
def test_a_denied_action_is_worded_as_aws_words_it(aws, service, operation, action):
    """IAM user guide, "Troubleshoot access denied error messages": implicit denial in an identity-based policy."""
    aws.world.trouble.denied = {action}

    with pytest.raises(ClientError) as refused:
        getattr(client(aws, service), operation)()

    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
    assert f"is not authorized to perform: {action} because no identity-based policy allows the {action} action" in str(refused.value)


@pytest.mark.parametrize(("service", "operation", "action"), CALLS)
def test_credentials_expire_after_so_many_calls(aws, service, operation, action):
    """Common errors of each API."""
    aws.world.trouble.expire_after = 1
    asked = client(aws, service)
    getattr(asked, operation)()

    with pytest.raises(ClientError, match="expired") as refused:
        getattr(asked, operation)()

    assert refused.value.response["Error"]["Code"] in ("ExpiredToken", "ExpiredTokenException", "RequestExpired")


def test_a_seed_fails_the_same_share_of_the_same_calls(aws):
    """30 % throttled and 10 % broken: of 300 calls 37 % fail, four standard errors around it, and the same ones again."""
    ec2 = client(aws, "freetier")
    aws.world.plan_state = {"accountId": "123456789012"}
    runs = []
    for _ in range(2):
        aws.calls.clear()
        aws.world.trouble = Trouble(seed=7, throttle_ratio=0.3, fail_ratio=0.1)
        runs.append([code_of(ec2.get_account_plan_state) for _ in range(300)])

    assert runs[0] == runs[1]
    assert 0.26 < sum(code is not None for code in runs[0]) / 300 < 0.48
    assert {"ThrottlingException", "InternalFailure"} == set(filter(None, runs[0]))


def code_of(ask):
    try:
        ask()
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    return None


def test_a_call_without_an_answer_is_a_closed_connection_or_a_time_out(aws):
    aws.world.trouble = Trouble(silence_ratio=1.0)
    with pytest.raises(ConnectionClosedError):
        client(aws, "sts").get_caller_identity()

    aws.world.trouble = Trouble(silence_ratio=1.0, silence_s=0.5)
    with pytest.raises(ReadTimeoutError):
        client(aws, "sts", read_s=0.1).get_caller_identity()


def test_files_pass_through_and_each_is_named_by_its_action(aws):
    """S3: REST without an operation's name on the wire."""
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket="logs", Key="AWSLogs/a b.gz", Body=b"line")

    assert s3.get_object(Bucket="logs", Key="AWSLogs/a b.gz")["Body"].read() == b"line"
    assert s3.list_objects_v2(Bucket="logs", Prefix="AWSLogs/")["KeyCount"] == 1
    assert aws.calls == ["s3:CreateBucket", "s3:PutObject", "s3:GetObject", "s3:ListBucket"]
