"""How does a request name its service, operation and arguments, and how is the answer written? JSON, REST and the two query protocols."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from staging.aws.world import AwsFault

Dialect = Literal["json", "query", "ec2", "s3"]

_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([^/]+)/([^/]+)/aws4_request")
_POLICY_NAME = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Signing names that policies spell otherwise."""
_CLIENT = {"elasticloadbalancing": "elbv2", "tag": "resourcegroupstaggingapi"}
"""boto3's names of the services that it spells otherwise than policies do."""
_POLICY_ACTION = {
    ("s3", "ListObjectsV2"): "ListBucket", ("s3", "ListObjects"): "ListBucket", ("s3", "HeadBucket"): "ListBucket",
    ("s3", "HeadObject"): "GetObject", ("s3", "ListBuckets"): "ListAllMyBuckets",
}  # fmt: skip
"""Operations whose action has another name. Source: Service Authorization Reference, Amazon S3."""


class Request(NamedTuple):
    """What was asked; `service` as a policy names it, `dialect` how its errors are written."""

    region: str
    service: str
    operation: str
    arguments: Mapping[str, Any]
    dialect: Dialect

    @property
    def action(self) -> str:
        """The action that a policy allows: "cloudwatch:GetMetricData"."""
        return f"{self.service}:{_POLICY_ACTION.get((self.service, self.operation), self.operation)}"


def read_request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Read a request of any of the protocols, signed in its headers or in its address.

    Raises
    ------
    AwsFault
        Where it isn't signed.
    """
    url = urlsplit(path)
    scope = _SCOPE.search(headers.get("Authorization", "")) or _SCOPE.search(unquote(url.query).replace("X-Amz-Credential", "Credential"))
    if scope is None:
        raise AwsFault("MissingAuthenticationToken", "The request isn't signed", 403)
    region, service = scope[1], _POLICY_NAME.get(scope[2], scope[2])
    target = headers.get("X-Amz-Target")
    if target:
        return Request(region, service, target.rpartition(".")[2], json.loads(body or b"{}"), "json")
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        dialect: Dialect = "ec2" if service == "ec2" else "query"
        return Request(region, service, form.pop("Action", ""), nested({k: v for k, v in form.items() if k != "Version"}), dialect)
    operation = _rest_operation(service, method, url.path, frozenset(k for k, _ in parse_qsl(url.query, keep_blank_values=True)))
    is_s3 = service == "s3"
    return Request(region, service, operation, {} if is_s3 else json.loads(body or b"{}"), "s3" if is_s3 else "json")


def _rest_operation(service: str, method: str, path: str, query: frozenset[str]) -> str:
    """Return the operation whose template fits best: the most of its query, the longest, the plainest name; "" where none does."""
    fits = [
        (len(asked), len(name_of.pattern), -len(operation), operation)
        for operation, its_method, name_of, asked in _rest_templates(service)
        if its_method == method and asked <= query and name_of.fullmatch(path)
    ]
    return max(fits, default=(0, 0, 0, ""))[3]


@cache
def _rest_templates(service: str) -> list[tuple[str, str, re.Pattern[str], AbstractSet[str]]]:
    """Return (operation, method, path, query keys that it always has) of a REST service's operations."""
    return [_rest_template(operation, _model(service).operation_model(operation)) for operation in _model(service).operation_names]


def _rest_template(name: str, operation: Any) -> tuple[str, str, re.Pattern[str], AbstractSet[str]]:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern = re.sub(r"\\\{[^}]+?\\\}", "[^/]+", re.sub(r"\\\{[^}]+?\\\+\\\}", ".+", re.escape(path)))
    shape = operation.input_shape
    told = [shape.members[member].serialization for member in shape.required_members] if shape is not None else []
    needed = {each["name"] for each in told if each.get("location") == "querystring"}
    return name, operation.http["method"], re.compile(pattern), needed | {key for key, _ in parse_qsl(query, keep_blank_values=True)}


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """Turn a query's "Filter.1.Value.2" (or "Filters.member.1") into lists and mappings."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.replace(".member.", ".").split(".")
        here = tree
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


def write_answer(asked: Request, answer: Mapping[str, Any]) -> tuple[str, bytes]:
    """Return content type and body of an answer."""
    if asked.dialect == "json":
        return "application/x-amz-json-1.1", json.dumps(answer).encode()
    shape, name = _model(asked.service).operation_model(asked.operation).output_shape, asked.operation
    inside = "".join(_member(name, shape.members.get(name), value) for name, value in answer.items())
    if asked.dialect == "ec2":
        return "text/xml", f"<{name}Response><requestId>stand-in</requestId>{inside}</{name}Response>".encode()
    told = f"<{name}Result>{inside}</{name}Result><ResponseMetadata><RequestId>stand-in</RequestId></ResponseMetadata>"
    return "text/xml", f"<{name}Response>{told}</{name}Response>".encode()


def write_fault(dialect: Dialect, fault: AwsFault) -> tuple[str, bytes]:
    """Return content type and body of an error."""
    error = f"<Code>{fault.code}</Code><Message>{escape(str(fault))}</Message>"
    if dialect == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": fault.code, "message": str(fault)}).encode()
    if dialect == "s3":
        return "application/xml", f"<Error>{error}<RequestId>stand-in</RequestId></Error>".encode()
    if dialect == "ec2":
        return "text/xml", f"<Response><Errors><Error>{error}</Error></Errors><RequestID>stand-in</RequestID></Response>".encode()
    return "text/xml", f"<ErrorResponse><Error>{error}</Error><RequestId>stand-in</RequestId></ErrorResponse>".encode()


def _member(name: str, shape: Any, value: Any) -> str:
    """Write one member under the name that it has on the wire; one that the API doesn't know yet as it stands."""
    wire = shape.serialization.get("name", name) if shape is not None else name
    return f"<{wire}>{_value(shape, value)}</{wire}>"


def _value(shape: Any, value: Any) -> str:
    if isinstance(value, Mapping):
        members = getattr(shape, "members", {})
        return "".join(_member(name, members.get(name), inner) for name, inner in value.items())
    if isinstance(value, list):
        member = getattr(shape, "member", None)
        item = member.serialization.get("name", "member") if member is not None else "item"
        return "".join(f"<{item}>{_value(member, inner)}</{item}>" for inner in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


@cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(_CLIENT.get(service, service))
