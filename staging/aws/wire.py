"""How does a request name its service, operation and arguments, and how is the answer written? JSON 1.0/1.1, REST-JSON, EC2's query."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from staging.aws.world import AwsFault

_SCOPE = re.compile(r"Credential=[^/]+/[0-9]{8}/([^/]+)/([^/]+)/aws4_request")


class Request(NamedTuple):
    """What was asked; `service` as the request was signed for."""

    region: str
    service: str
    operation: str
    arguments: Mapping[str, Any]
    is_query: bool


def read_request(path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Read a signed request of any of the protocols.

    Raises
    ------
    AwsFault
        Where it isn't signed.
    """
    scope = _SCOPE.search(headers.get("Authorization", ""))
    if scope is None:
        raise AwsFault("MissingAuthenticationToken", "The request isn't signed", 403)
    region, service = scope.groups()
    target = headers.get("X-Amz-Target")
    if target:
        return Request(region, service, target.rpartition(".")[2], json.loads(body or b"{}"), is_query=False)
    if path.strip("/"):
        return Request(region, service, path.strip("/").split("?")[0], json.loads(body or b"{}"), is_query=False)
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Request(region, service, form.pop("Action", ""), nested({k: v for k, v in form.items() if k != "Version"}), is_query=True)


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """Turn a query's "Filter.1.Value.2" into lists and mappings."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
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
    if not asked.is_query:
        return "application/x-amz-json-1.1", json.dumps(answer).encode()
    shape = _model(asked.service).operation_model(asked.operation).output_shape
    inside = "".join(_member(name, shape.members.get(name), value) for name, value in answer.items())
    return "text/xml", f"<{asked.operation}Response><requestId>stand-in</requestId>{inside}</{asked.operation}Response>".encode()


def write_fault(is_query: bool, fault: AwsFault) -> tuple[str, bytes]:
    """Return content type and body of an error."""
    if not is_query:
        return "application/x-amz-json-1.1", json.dumps({"__type": fault.code, "message": str(fault)}).encode()
    error = f"<Error><Code>{fault.code}</Code><Message>{escape(str(fault))}</Message></Error>"
    return "text/xml", f"<Response><Errors>{error}</Errors><RequestID>stand-in</RequestID></Response>".encode()


def _member(name: str, shape: Any, value: Any) -> str:
    """Write one member under the name that it has on the wire; one that the API doesn't know yet as it stands."""
    wire = shape.serialization.get("name", name) if shape is not None else name
    return f"<{wire}>{_value(shape, value)}</{wire}>"


def _value(shape: Any, value: Any) -> str:
    if isinstance(value, Mapping):
        members = getattr(shape, "members", {})
        return "".join(_member(name, members.get(name), inner) for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_value(getattr(shape, 'member', None), inner)}</item>" for inner in value)
    return str(value).lower() if isinstance(value, bool) else escape(str(value))


@cache
def _model(service: str) -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model(service)
