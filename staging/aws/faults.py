"""Which failure does a call meet, and how does AWS word it? The same seed gives the same failures to the same calls in the same order.

Sources: EC2 API reference, "Error codes"; common errors of the query and JSON APIs; IAM user guide, "Troubleshoot access denied
error messages".
"""

from __future__ import annotations

import random
from collections.abc import Mapping

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


def silence_s(trouble: Trouble, number: int, service: str) -> float | None:
    """Return how long call `number` (from 1) is left without an answer before its connection is closed; None where it gets one."""
    if service in trouble.gone or (trouble.answers is not None and number > trouble.answers):
        return 0.0
    return trouble.silence_s if _meets(trouble, "silence", number, trouble.silence_ratio) else None


def fault_of(trouble: Trouble, number: int, asked: Request) -> AwsFault | None:
    """Return the error that call `number` (from 1) meets, None where it meets none."""
    if trouble.expire_after is not None and number > trouble.expire_after:
        return _worded(_EXPIRED, asked.dialect, "The security token included in the request is expired")
    if asked.action in trouble.denied:
        return _worded(_DENIED, asked.dialect, denial(asked))
    if _is_nth(trouble.throttle_every, number) or _meets(trouble, "throttle", number, trouble.throttle_ratio):
        return _worded(_THROTTLED, asked.dialect, "Rate exceeded")
    if _is_nth(trouble.fail_every, number) or _meets(trouble, "fail", number, trouble.fail_ratio):
        return AwsFault("InternalError" if asked.dialect in ("ec2", "s3") else "InternalFailure", "An internal error has occurred", 500)
    return None


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
