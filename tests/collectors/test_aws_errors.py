"""What the user reads when AWS says no: boto3 against a loopback server that answers as AWS does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from collectors.aws import AwsError, AwsSession, SideCalls

ERROR = "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with the server's `answer`: a status and a body."""

    def do_POST(self) -> None:
        status, body = self.server.answer
        self.server.seen.append(self.headers.get("Authorization", ""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def aws_that_answers() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def ask(port: int) -> None:
    AwsSession("ap-northeast-2", f"http://127.0.0.1:{port}").call("ec2", "describe_addresses", attempts=1)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        ("UnauthorizedOperation", "denied", "AWS refused ec2:DescribeAddresses to these credentials; allow that action"),
        ("ExpiredToken", "credentials", "the credentials have expired at ec2:DescribeAddresses; renew them"),
        ("AuthFailure", "credentials", "the credentials are not accepted at ec2:DescribeAddresses (AuthFailure); check them"),
        ("RequestLimitExceeded", "throttled", "AWS throttled ec2:DescribeAddresses on every try; wait a minute"),
        ("InvalidParameterValue", "failed", "AWS answered ec2:DescribeAddresses with InvalidParameterValue: it is wrong; run it again"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_call_and_the_mend(aws_that_answers, code, kind, sentence):
    """Error codes: EC2 API reference, "Error codes for the Amazon EC2 API"."""
    aws_that_answers.answer = (400, ERROR.format(code=code, message="it is wrong.").encode())

    with pytest.raises(AwsError) as refused:
        ask(aws_that_answers.server_port)

    assert refused.value.kind == kind
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_server_that_breaks_is_a_sentence_without_its_page(aws_that_answers):
    """A 500 with a page of HTML, as moto answers what it lacks."""
    aws_that_answers.answer = (500, b"<!doctype html>\n<html lang=en><title>500</title>")

    with pytest.raises(AwsError, match="no sensible answer") as refused:
        ask(aws_that_answers.server_port)

    assert refused.value.kind == "failed"


def test_an_endpoint_that_nobody_listens_at_is_said():
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(AwsError, match="can't be reached for ec2:DescribeAddresses") as refused:
        ask(port)

    assert refused.value.kind == "unreachable"


def test_without_credentials_the_mend_is_said(monkeypatch, tmp_path):
    """boto3 looks in the environment, in ~/.aws and at the instance's metadata; here is none of them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    with pytest.raises(AwsError, match=r"no usable credentials for ec2:DescribeAddresses .*; run aws configure"):
        AwsSession("ap-northeast-2").call("ec2", "describe_addresses", attempts=1)


def test_a_profile_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))

    with pytest.raises(AwsError, match='AWS profile "reader" is not in'):
        AwsSession("ap-northeast-2", profile="reader").client("ec2")


def test_a_stand_in_on_loopback_never_sees_the_users_key(aws_that_answers, monkeypatch):
    """The key's id stands in the Authorization header of each signed request."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    aws_that_answers.answer = (400, ERROR.format(code="AuthFailure", message="no").encode())

    with pytest.raises(AwsError):
        ask(aws_that_answers.server_port)

    assert aws_that_answers.seen
    assert not any("AKIAREALKEY" in header for header in aws_that_answers.seen)


def test_what_the_answer_can_do_without_becomes_a_warning(aws_that_answers):
    """Refused: nothing, and a sentence why; wrong credentials still end it."""
    side = SideCalls(AwsSession("ap-northeast-2", f"http://127.0.0.1:{aws_that_answers.server_port}"))
    aws_that_answers.answer = (403, ERROR.format(code="UnauthorizedOperation", message="no").encode())

    found = side.call("ec2", "describe_addresses")

    assert found == {}
    assert [(w.code, "ec2:DescribeAddresses" in w.message) for w in side.warnings] == [("topology_partial", True)]
    aws_that_answers.answer = (403, ERROR.format(code="ExpiredToken", message="no").encode())
    with pytest.raises(AwsError, match="expired"):
        side.call("ec2", "describe_addresses")
