"""Which failure does a call meet, and how does AWS word it? The same seed gives the same failures to the same calls in the same order.

Sources: EC2 API reference, "Error codes"; common errors of the query and JSON APIs; IAM user guide, "Troubleshoot access denied
error messages".
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from staging.aws.wire import Dialect, Request
from staging.aws.world import AwsFault, Trouble

CALLER = "arn:aws:iam::123456789012:user/sizeup"
Codes = Mapping[Dialect, tuple[str, int]]
_THROTTLED: Codes = {
    "ec2": ("RequestLimitExceeded", 503), "query": ("Throttling", 400), "json": ("ThrottlingException", 400), "s3": ("SlowDown", 503),
}  # fmt: skip
_EXPIRED: Codes = {
    "ec2": ("RequestExpired", 400), "query": ("ExpiredToken", 403), "json": ("ExpiredTokenException", 400), "s3": ("ExpiredToken", 400),
}  # fmt: skip
_DENIED: Codes = {
    "ec2": ("UnauthorizedOperation", 403), "query": ("AccessDenied", 403), "json": ("AccessDeniedException", 400),
    "s3": ("AccessDenied", 403),
}  # fmt: skip

_SKEWED: Codes = {
    "ec2": ("RequestExpired", 400), "query": ("SignatureDoesNotMatch", 403), "json": ("InvalidSignatureException", 403),
    "s3": ("RequestTimeTooSkewed", 403),
}  # fmt: skip
_SKEW_TOLD: Mapping[Dialect, str] = {
    "ec2": "Request has expired.", "s3": "The difference between the request time and the current time is too large.",
}  # fmt: skip
SKEW_S: Mapping[Dialect, float] = {"ec2": 900.0, "query": 300.0, "json": 300.0, "s3": 900.0}
"""How far a request may be signed off. Sources: IAM user guide, "Troubleshoot Signature Version 4"; EC2 and S3, "Error codes"."""
_UNLISTED = {
    "OptInRequired": "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
    "SubscriptionRequiredException": "The AWS Access Key Id needs a subscription for the service",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
    "InvalidClientTokenId": "The security token included in the request is invalid",
    "AuthFailure": "AWS was not able to validate the provided access credentials",
}  # fmt: skip
"""What an account is told that isn't signed up, and one of whose regions isn't enabled: the last three, by protocol."""


def silence_s(trouble: Trouble, number: int, service: str) -> float | None:
    """Return how long call `number` (from 1) is left without an answer before its connection is closed; None where it gets one."""
    if service in trouble.gone or (trouble.answers is not None and number > trouble.answers):
        return 0.0
    return trouble.silence_s if _meets(trouble, "silence", number, trouble.silence_ratio) else None


def fault_of(trouble: Trouble, number: int, asked: Request) -> AwsFault | None:
    """Return the error that call `number` (from 1) meets, None where it meets none."""
    if abs(trouble.skew_s) > SKEW_S[asked.dialect]:
        return _skewed(trouble.skew_s, asked.dialect)
    if (code := trouble.unlisted.get(asked.service, trouble.unlisted.get(asked.action))) is not None:
        return AwsFault(code, _UNLISTED.get(code, "The request can't be served"), 403)
    if trouble.expire_after is not None and number > trouble.expire_after:
        return _worded(_EXPIRED, asked.dialect, "The security token included in the request is expired")
    if asked.action in trouble.denied:
        return _worded(_DENIED, asked.dialect, denial(asked))
    if _is_nth(trouble.throttle_every, number) or _meets(trouble, "throttle", number, trouble.throttle_ratio):
        return _worded(_THROTTLED, asked.dialect, "Rate exceeded")
    if _is_nth(trouble.fail_every, number) or _meets(trouble, "fail", number, trouble.fail_ratio):
        return AwsFault("InternalError" if asked.dialect in ("ec2", "s3") else "InternalFailure", "An internal error has occurred", 500)
    return None


def _skewed(skew_s: float, dialect: Dialect) -> AwsFault:
    """Word a refusal of what is signed at another time than AWS's clock shows."""
    now, borne = datetime.now(UTC), timedelta(minutes=5)
    theirs = now + timedelta(seconds=skew_s)
    signed, first, last, here = (f"{at:%Y%m%dT%H%M%SZ}" for at in (now, theirs - borne, theirs + borne, theirs))
    late = f"Signature expired: {signed} is now earlier than {first} ({here} - 5 min.)"
    early = f"Signature not yet current: {signed} is still later than {last} ({here} + 5 min.)"
    return _worded(_SKEWED, dialect, _SKEW_TOLD.get(dialect, late if skew_s > 0 else early))


def denial(asked: Request) -> str:
    """Word a refusal as AWS does where no policy of the caller allows the action."""
    why = f"because no identity-based policy allows the {asked.action} action"
    sentence = f"User: {CALLER} is not authorized to perform: {asked.action} {why}"
    return f"You are not authorized to perform this operation. {sentence}" if asked.dialect == "ec2" else sentence


def _worded(codes: Codes, dialect: Dialect, message: str) -> AwsFault:
    code, status = codes[dialect]
    return AwsFault(code, message, status)


def _is_nth(every: int, number: int) -> bool:
    return every > 0 and number % every == 0


def _meets(trouble: Trouble, kind: str, number: int, ratio: float) -> bool:
    return ratio > 0 and random.Random(f"{trouble.seed} {kind} {number}").random() < ratio  # noqa: S311 - chance, not a secret
