"""The load balancer's stand-in: takes a request in, chooses a target by rules and health, passes the answer on, logs one line.

Source: Elastic Load Balancing user guide, "Troubleshoot your Application Load Balancers" for its own answers: 400 malformed,
460 the client went, 502 the target refused or broke, 503 no target, 504 no answer in time.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from evidence.alb_log import format_line
from staging.embedded.child import listen, read_settings, report_ready
from staging.embedded.http_client import BrokenResponseError, ConnectFailedError, Headers, Pool, Response
from staging.embedded.listener import Listener, Reply, Request
from staging.embedded.log_values import Passage, log_values
from staging.embedded.request_metrics import RequestMetrics
from staging.embedded.rules import Rule, match, read_rules
from staging.embedded.target_groups import HealthCheck, Target, TargetGroup, watch_health
from staging.embedded.tracing import NAME as TRACE
from staging.embedded.tracing import traced

_OWN_REASONS = {
    400: b"Bad Request", 502: b"Bad Gateway", 503: b"Service Temporarily Unavailable", 504: b"Gateway Time-out",
}  # fmt: skip
_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"content-length", b"upgrade", b"te", b"trailer",
})  # fmt: skip
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"expect", TRACE})


class LoadBalancer:
    """Rules, target groups, log and counts of one listener.

    Parameters
    ----------
    elb : str
        Its name in the log: `app/moco-staging/50dc6c495c0c9188`.
    log : int
        Descriptor that the log's lines are appended to, each by one write.
    """

    def __init__(self, elb: str, port: int, rules: list[Rule], groups: Mapping[str, TargetGroup], log: int, idle_s: float) -> None:
        self.elb, self.port, self.rules, self.groups = elb, port, rules, groups
        self.metrics, self.pool = RequestMetrics(), Pool()
        self._log, self._idle_s = log, idle_s
        self._passages: dict[int, Passage] = {}

    async def handle(self, request: Request) -> Reply:
        """Answer one request, by a target or by ourselves."""
        passage = self._passages[id(request)] = self._begin(request)
        if request.malformed:
            return own_answer(400)
        group = self.groups.get(passage.group_name)
        target = group.choose() if group is not None else None
        if group is None or target is None:
            return own_answer(503)
        passage.address, passage.target_group = target.address, group.dimension
        return await self._forward(request, passage, target, group)

    def finished(self, request: Request, reply: Reply | None, sent_bytes: int) -> None:
        """Log and count one request; no reply means that the client went first, which is 460."""
        passage = self._passages.pop(id(request), None) or self._begin(request)
        at_s, status = time.time(), reply.status if reply else 460
        values = log_values(request, passage, status, sent_bytes, at_s, self.elb, self.port)
        os.write(self._log, format_line(values).encode() + b"\n")
        self.metrics.record(at_s, passage.target_group, status, passage.target_status, passage.target_s)

    def settle(self, group: TargetGroup) -> None:
        """Let go of targets that have drained, and of the connections to them."""
        for address in group.forget_drained():
            self.pool.forget(address)

    def _begin(self, request: Request) -> Passage:
        passage = Passage()
        if request.malformed:
            return passage
        passage.trace = traced(_text(request.header(TRACE)), int(request.received_at))
        rule = match(self.rules, _text(request.header(b"host")) or "")
        if rule is not None:
            passage.priority, passage.group_name = str(rule.priority), rule.target_group
            passage.target_group_arn = self.groups[rule.target_group].arn
        return passage

    async def _forward(self, request: Request, passage: Passage, target: Target, group: TargetGroup) -> Reply:
        headers = forwarded_headers(request, passage.trace, self.port)
        target.in_flight += 1
        try:
            response = await self.pool.request(target.address, request.method, request.target, headers, request.body, self._idle_s)
        except (ConnectFailedError, BrokenResponseError):
            return own_answer(502)
        except TimeoutError:
            return own_answer(504)
        finally:
            target.in_flight -= 1
            self.settle(group)
        passage.target_status, passage.sent_at, passage.head_at = response.status, response.sent_at, response.head_at
        return Reply(response.status, returned_headers(request, response), response.body, response.reason)


def forwarded_headers(request: Request, trace: str, port: int) -> Headers:
    """Return the header fields that a target sees: the client's own, X-Forwarded-* and the trace."""
    kept = [(name, value) for name, value in request.headers if name.lower() not in _HOP_BY_HOP and name.lower() not in _FORWARDED]
    came_from = [value for name, value in request.headers if name.lower() == b"x-forwarded-for"]
    if request.body or request.method in (b"POST", b"PUT", b"PATCH"):
        kept.append((b"Content-Length", b"%d" % len(request.body)))
    return [
        *kept,
        (b"X-Forwarded-For", b", ".join([*came_from, request.client[0].encode()])),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Port", b"%d" % port),
        (b"X-Amzn-Trace-Id", trace.encode("utf-8", "surrogateescape")),
    ]


def returned_headers(request: Request, response: Response) -> Headers:
    """Return the header fields that the client sees: the target's own; a HEAD keeps the length that a GET would have had."""
    return [
        (name, value)
        for name, value in response.headers
        if name.lower() not in _HOP_BY_HOP or (name.lower() == b"content-length" and request.method == b"HEAD")
    ]


def own_answer(status: int) -> Reply:
    """Return the load balancer's own error page."""
    title = b"%d %s" % (status, _OWN_REASONS[status])
    body = b"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n" % (title, title)
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()
    headers = [(b"Server", b"awselb/2.0"), (b"Date", date), (b"Content-Type", b"text/html")]
    return Reply(status, headers, body, _OWN_REASONS[status], close=status == 400)


async def control(balancer: LoadBalancer, request: Request) -> Reply:
    """Answer the owner, in JSON: GET /targets, POST and DELETE /targets {group, host, port}, POST /metrics (takes the counts away)."""
    asked = (request.method, request.target)
    if asked == (b"POST", b"/metrics"):
        return _json(balancer.metrics.take())
    if request.target == b"/targets" and request.method in (b"POST", b"DELETE"):
        body = json.loads(request.body)
        group, address = balancer.groups.get(body["group"]), (str(body["host"]), int(body["port"]))
        if group is None:
            return _json({"error": f"no target group {body['group']!r}"}, 404)
        if request.method == b"POST":
            group.register(address)
        else:
            group.deregister(address)
            balancer.settle(group)
    elif asked != (b"GET", b"/targets"):
        return _json({"error": "no such thing"}, 404)
    return _json({name: group.describe() for name, group in balancer.groups.items()})


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, [(b"Content-Type", b"application/json")], json.dumps(value).encode())


def _text(raw: bytes | None) -> str | None:
    return raw.decode("utf-8", "surrogateescape") if raw else None


async def serve(settings: Mapping[str, Any]) -> None:
    """Serve until SIGTERM, then finish what is under way."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    front, back = listen(settings["port"]), listen()
    log = os.open(settings["access_log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    groups = {name: TargetGroup(name, arn) for name, arn in settings["target_groups"].items()}
    balancer = LoadBalancer(settings["elb"], front.getsockname()[1], read_rules(settings["rules"]), groups, log, settings["idle_s"])
    public = await loop.create_server(lambda: Listener(balancer.handle, balancer.finished), sock=front, backlog=2048)
    private = await loop.create_server(lambda: Listener(lambda r: control(balancer, r), lambda *_: None), sock=back)
    check = HealthCheck(**settings["health_check"])
    checks = [loop.create_task(watch_health(group, balancer.pool, check)) for group in groups.values()]
    report_ready(port=balancer.port, control_port=back.getsockname()[1])
    await stopping.wait()
    public.close()
    while any(target.in_flight for group in groups.values() for target in group.targets.values()):
        await asyncio.sleep(0.02)
    private.close()
    for each in checks:
        each.cancel()


def main() -> None:
    asyncio.run(serve(read_settings()))


if __name__ == "__main__":
    main()
