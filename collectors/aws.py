"""One door to AWS: clients that wait little and retry with care, and failures said as one sentence with its mend."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from evidence import SizeupError, Warn

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 4, 30
ATTEMPTS = 5
SIDE_ATTEMPTS = 3
"""Tries for what the answer can do without: an account that lacks a service keeps nobody waiting."""
ROUNDS = 4
"""How often those are made where AWS says that it will pass: with 37 % of all calls failing, one in 10 million is given up."""

T = TypeVar("T")

Rows = list[dict[str, Any]]
Kind = Literal["credentials", "clock", "absent", "denied", "throttled", "unreachable", "failed"]

_POLICY_PREFIX = {"elbv2": "elasticloadbalancing"}
_POLICY_ACTION = {"s3:ListObjectsV2": "s3:ListBucket", "s3:HeadObject": "s3:GetObject"}
"""Operations whose action has another name. Source: S3 API reference, "Permissions" of each operation."""
_CREDENTIALS = {
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure",
    "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidAccessKeyId",
}  # fmt: skip
_ABSENT = {"OptInRequired", "SubscriptionRequiredException", "NotSignedUp", "SubscriptionNotFound"}
"""The account may not use the service. Source: "Common errors" of the services' API references; S3's is NotSignedUp."""
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized"}
_THROTTLED = {
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException", "RequestLimitExceeded",
    "TooManyRequestsException", "LimitExceededException", "SlowDown", "PriorRequestNotComplete",
}  # fmt: skip
_PASSING = {
    "InternalError", "InternalFailure", "InternalServerError", "InternalServiceError", "ServiceUnavailable", "ServiceUnavailableException",
}  # fmt: skip
_CLOCK = {"RequestTimeTooSkewed", "RequestInTheFuture"}
SKEW_S = 240.0
"""AWS refuses what is signed over five minutes off (EC2 and S3: fifteen); less a minute that an answer may be on its way."""


class AwsError(SizeupError):
    """A call that AWS didn't answer.

    Attributes
    ----------
    kind : tells a caller whether it can go on without it
    code : AWS's own word
    offset_s : where a clock is why, how much later AWS's is than this machine's; None where nobody told
    """

    def __init__(self, sentence: str, kind: Kind, code: str, offset_s: float | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.code = code
        self.offset_s = offset_s

    @property
    def broken(self) -> bool:
        """Whether AWS itself failed, so that nothing is known of the question."""
        return self.code.isdigit() or self.code in _PASSING or self.code == "ResponseParserError"

    @property
    def will_pass(self) -> bool:
        """Whether the same question may be answered a little later."""
        return self.kind == "throttled" or self.code in _PASSING

    @property
    def ends_all(self) -> bool:
        """Whether no other call would be answered either."""
        return self.kind in ("credentials", "clock")


class AwsSession:
    """An account in one region, as the aws command would reach it.

    Parameters
    ----------
    endpoint_url : str or None
        A stand-in to ask instead of AWS. One on loopback gets made-up credentials: real ones are not for it.
    profile : str or None
        Of ~/.aws/config; else what boto3 finds by itself.
    Attributes
    ----------
    calls : set of str
        Every action asked for so far, as a policy names them.
    """

    def __init__(self, region: str, endpoint_url: str | None = None, profile: str | None = None) -> None:
        self.region = region
        self.endpoint_url = endpoint_url or None
        self.profile = profile
        self.calls: set[str] = set()
        self._clients: dict[tuple[str, int], Any] = {}

    @property
    def is_local(self) -> bool:
        """Whether a stand-in on this machine answers."""
        return self.endpoint_url is not None and _is_loopback(self.endpoint_url)

    def client(self, service: str, attempts: int = ATTEMPTS) -> Any:
        """Return the boto3 client of a service, made once.

        Raises
        ------
        AwsError
            Where the profile doesn't exist.
        """
        key = service, attempts
        if key not in self._clients:
            self._clients[key] = self._make_client(service, attempts)
        return self._clients[key]

    def call(self, service: str, operation: str, *, attempts: int = ATTEMPTS, **arguments: Any) -> dict[str, Any]:
        """Call an operation by boto3's name and return its answer.

        Raises
        ------
        AwsError
            Where AWS doesn't answer.
        """
        client = self.client(service, attempts)
        answer: dict[str, Any] = self._said(service, client, operation, lambda: getattr(client, operation)(**arguments))
        return answer

    def pages(self, service: str, operation: str, key: str, *, attempts: int = ATTEMPTS, **arguments: Any) -> list[Any]:
        """Call an operation for all its pages and return the items under `key` together.

        Raises
        ------
        AwsError
            Where AWS doesn't answer.
        """
        client = self.client(service, attempts)

        def read() -> list[Any]:
            return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]

        items: list[Any] = self._said(service, client, operation, read)
        return items

    def _said(self, service: str, client: Any, operation: str, do: Callable[[], Any], rounds: int = ROUNDS) -> Any:
        import botocore.exceptions as boto
        from botocore.parsers import ResponseParserError

        action = policy_action(service, client.meta.method_to_api_mapping[operation])
        self.calls.add(action)
        try:
            return do()
        except (boto.BotoCoreError, boto.ClientError, ResponseParserError) as failed:
            refused = explain(action, failed)
        if rounds > 1 and refused.will_pass:
            return self._said(service, client, operation, do, rounds - 1)
        raise refused

    def _make_client(self, service: str, attempts: int) -> Any:
        import boto3
        import botocore.exceptions as boto
        import botocore.session
        from botocore.config import Config

        local = self.is_local
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries={"mode": "adaptive", "total_max_attempts": attempts},
            proxies={} if local else None,
        )  # fmt: skip
        made_up = {"aws_access_key_id": "stand-in", "aws_secret_access_key": "stand-in"} if local else {}
        try:
            core = botocore.session.get_session()
            core.register_component("data_loader", _models())
            core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_read_time)
            session = boto3.session.Session(botocore_session=core, region_name=self.region, profile_name=self.profile, **made_up)
            return session.client(service, endpoint_url=self.endpoint_url, config=config)
        except (boto.InvalidRegionError, ValueError) as wrong:
            sentence = f"AWS: {_first_line(wrong)}; mend the region (--region) or AWS_ENDPOINT_URL."
            raise AwsError(sentence, "failed", type(wrong).__name__) from None
        except boto.ProfileNotFound:
            sentence = f'AWS profile "{self.profile}" is not in ~/.aws/config; name another with --profile.'
            raise AwsError(sentence, "credentials", "ProfileNotFound") from None


class SideCalls:
    """Calls that the answer can do without: refused or failed, they give nothing and a warning of code `code`."""

    def __init__(self, aws: AwsSession, code: str = "topology_partial") -> None:
        self._aws, self._code = aws, code
        self.warnings: list[Warn] = []

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> list[Any]:
        return self._try(lambda: self._aws.pages(service, operation, key, attempts=SIDE_ATTEMPTS, **arguments), [])

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        return self._try(lambda: self._aws.call(service, operation, attempts=SIDE_ATTEMPTS, **arguments), {})

    def _try(self, ask: Callable[[], T], nothing: T) -> T:
        try:
            return ask()
        except AwsError as refused:
            if refused.ends_all:
                raise
            self.warnings.append(Warn(self._code, f"{str(refused).rstrip('.')}; until then it counts as none."))
            return nothing


def policy_action(service: str, operation: str) -> str:
    """Return the action that a policy must allow for an operation, both by AWS's names; `service` as boto3 calls it."""
    action = f"{_POLICY_PREFIX.get(service, service)}:{operation}"
    return _POLICY_ACTION.get(action, action)


def explain(action: str, failed: Exception) -> AwsError:
    """Turn a failure of boto3 into a sentence that names the call and the mend."""
    code, service = _code(failed), action.partition(":")[0]
    if _is_off(code, failed):
        return _clock_error(action, code, failed)
    if code in _DENIED:
        return AwsError(f"AWS refused {action} to these credentials; allow that action (it only reads), then run it again.", "denied", code)
    if code in _ABSENT:
        mend = f"sign up for {service} there, or name another region"
        return AwsError(f"AWS: this account has no {service} in this region ({code} at {action}); {mend}.", "absent", code)
    if code in _CREDENTIALS or _lacks_credentials(failed):
        return AwsError(f"AWS: {_credentials_sentence(action, code, failed)}", "credentials", code)
    if code in _THROTTLED:
        return AwsError(f"AWS throttled {action} on every try; wait a minute, then run it again.", "throttled", code)
    if _is_unreachable(failed):
        sentence = f"AWS can't be reached for {action} ({_first_line(failed)}); check the network, and whether the region has {service}."
        return AwsError(sentence, "unreachable", code)
    return AwsError(f"AWS answered {action} with {code}: {_first_line(failed)}; run it again, or check the region.", "failed", code)


def _is_off(code: str, failed: Exception) -> bool:
    """Tell whether this machine's clock is why a call was refused: it is said, or the answer's Date says so."""
    if code in _CLOCK or _first_line(failed).startswith(("Signature expired", "Signature not yet current")):
        return True
    return code in _CREDENTIALS and abs(_offset_s(failed) or 0.0) > SKEW_S


def _clock_error(action: str, code: str, failed: Exception) -> AwsError:
    offset_s = _offset_s(failed)
    off = "off" if offset_s is None else f"{abs(offset_s):.0f} s {'behind' if offset_s > 0 else 'ahead of'} AWS's"
    mend = "set it (timedatectl set-ntp true), then run it again"
    return AwsError(f"AWS: this machine's clock is {off} at {action} ({_first_line(failed)}); {mend}.", "clock", code, offset_s)


def _offset_s(failed: Exception) -> float | None:
    """Return how much later AWS's clock is than this one; None where the refusal tells no date."""
    told = (getattr(failed, "response", None) or {}).get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        return parsedate_to_datetime(str(told)).timestamp() + 0.5 - time.time()  # a Date names the whole second
    except ValueError:
        return None


def _credentials_sentence(action: str, code: str, failed: Exception) -> str:
    if "Expired" in code or "SSO" in code or code == "TokenRetrievalError":
        return f"the credentials have expired at {action}; renew them (aws sso login, or a new session), then run it again."
    if _lacks_credentials(failed):
        return f"no usable credentials for {action} ({_first_line(failed)}); run aws configure, or name --profile."
    mend = "check them with aws sts get-caller-identity, name --profile, or enable the region where it must be"
    return f"the credentials are not accepted at {action} ({code}); {mend}."


def _code(failed: Exception) -> str:
    response = getattr(failed, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(failed).__name__)


def _lacks_credentials(failed: Exception) -> bool:
    import botocore.exceptions as boto

    kinds = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.SSOError, boto.TokenRetrievalError)
    return isinstance(failed, kinds)


def _is_unreachable(failed: Exception) -> bool:
    import botocore.exceptions as boto

    return isinstance(failed, (boto.HTTPClientError, boto.EndpointConnectionError, boto.ConnectionError))


def _first_line(failed: Exception) -> str:
    """Return the message's first line without markup: a broken server answers with a page."""
    message = (getattr(failed, "response", None) or {}).get("Error", {}).get("Message") or str(failed)
    text = "no sensible answer" if "<html" in message.lower() else (message.strip().splitlines() or [""])[0]
    return text[:160].rstrip(". ")


@cache
def _models() -> Any:
    """Return botocore's reader of its service models: shared, each is parsed once a process, for which each client took 0.1 s."""
    from botocore.loaders import create_loader

    return create_loader()


def _read_time(told: Any) -> datetime:
    """Read a time of an answer; botocore's own reader asks for this machine's time zone, 30 µs for each of a million points."""
    from botocore.utils import parse_timestamp

    if isinstance(told, (int, float)):
        return datetime.fromtimestamp(told, UTC)
    read: datetime = parse_timestamp(told)
    return read


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def in_parts(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Cut a list into parts of at most `size`: AWS takes so many a call."""
    return [items[at : at + size] for at in range(0, len(items), size)]
