"""The load balancer's log, byte for byte, and its answers, against targets that behave and targets that don't."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from stack_client import ELB, GROUP_ARN, ROOT, Front, ScriptedTarget, until

from evidence import make_trace, parse_trace
from evidence.alb_log import parse_line, split_line

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
SECONDS = r"\d+\.\d{3}"


def raw(front: Front, data: bytes, *, close_after: bool = False) -> tuple[bytes, int]:
    """Send bytes as they are; return all that came back and the client's port."""
    with socket.create_connection(("127.0.0.1", front.port), timeout=10) as connection:
        port = connection.getsockname()[1]
        connection.sendall(data)
        if close_after:
            return b"", port
        received = b""
        while part := connection.recv(65536):
            received += part
    return received, port


def test_a_line_has_the_very_form_of_an_application_load_balancers(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, access log entries: the order, quotes, three decimals, "-" without a value, TID_ of the connection."""
    asked = b'GET /boards?page=1 HTTP/1.1\r\nHost: api.example.run\r\nUser-Agent: a "b" \\c\r\nConnection: close\r\n\r\n'

    received, port = raw(bare, asked)

    target = f"127.0.0.1:{one_target.address[1]}"
    form = (
        rf"http {TIME} {ELB} 127\.0\.0\.1:{port} {target} {SECONDS} {SECONDS} {SECONDS} 200 200 {len(asked)} {len(received)} "
        rf'"GET http://api\.example\.run:{bare.port}/boards\?page=1 HTTP/1\.1" "a \\x22b\\x22 \\x5Cc" - - {GROUP_ARN} '
        rf'"{ROOT.pattern}" "-" "-" 10 {TIME} "forward" "-" "-" "{target}" "200" "-" "-" TID_[0-9a-f]{{32}} "-" "-" "-"'
    )
    assert re.fullmatch(form, bare.line_of(port))


def test_the_default_rule_is_logged_as_priority_zero(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, matched_rule_priority: 0 where no rule matched and the default action was taken."""
    answer = bare.ask("GET", "/", "example.run")

    assert parse_line(bare.line_of(answer.client_port)).rule_priority == 0


def test_a_root_is_kept_and_logged_and_the_target_sees_what_the_log_says(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, request tracing: a header with a Root is kept, a Self is put before it."""
    sent = make_trace("0123456789ab", 3, 77, 1_700_000_000)

    answer = bare.ask("GET", "/traced", "api.example.run", headers={"X-Amzn-Trace-Id": sent})

    logged = parse_line(bare.line_of(answer.client_port)).trace_id
    (head, _), = one_target.requests("/traced")
    assert re.fullmatch(rf"Self=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};{sent}", logged)
    assert parse_trace(logged) == parse_trace(sent)
    assert f"X-Amzn-Trace-Id: {logged}".encode() in head


def test_a_missing_root_is_made_anew_for_each_request(bare: Front, one_target: ScriptedTarget):
    logged = [parse_line(bare.line_of(bare.ask("GET", "/", "example.run").client_port)).trace_id for _ in range(3)]

    assert all(ROOT.fullmatch(trace) for trace in logged)
    assert len(set(logged)) == 3


def test_a_target_sees_who_asked_and_how(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, X-Forwarded headers: the client's address is appended, protocol and port are the listener's."""
    bare.ask("GET", "/who", "api.example.run", headers={"X-Forwarded-For": "10.0.0.9", "X-Forwarded-Proto": "https"})

    (head, _), = one_target.requests("/who")
    assert b"X-Forwarded-For: 10.0.0.9, 127.0.0.1" in head
    assert b"X-Forwarded-Proto: http" in head
    assert f"X-Forwarded-Port: {bare.port}".encode() in head
    assert b"Host: api.example.run" in head


def test_health_checks_leave_no_line(bare: Front, one_target: ScriptedTarget):
    until(lambda: len(one_target.requests("/health")) > 3)

    assert bare.texts() == []


def test_without_a_target_the_answer_is_503(bare: Front):
    """ELB user guide, troubleshooting, HTTP 503: the target groups have no registered targets."""
    answer = bare.ask("GET", "/", "api.example.run")

    line = bare.line_of(answer.client_port)
    assert (answer.status, answer.headers["server"]) == (503, "awselb/2.0")
    assert split_line(line)[4:10] == ["-", "-1", "-1", "-1", "503", "-"]
    assert parse_line(line).target_group_arn == GROUP_ARN


@pytest.mark.parametrize("path", ["/break", "/half"])
def test_a_target_that_breaks_gives_502(bare: Front, one_target: ScriptedTarget, path: str):
    """ELB user guide, troubleshooting, HTTP 502: the target closed the connection, or the response is malformed."""
    answer = bare.ask("GET", path, "api.example.run")

    parts = split_line(bare.line_of(answer.client_port))
    assert answer.status == 502
    assert parts[4:10] == [f"127.0.0.1:{one_target.address[1]}", "-1", "-1", "-1", "502", "-"]


def test_a_target_that_nobody_listens_at_gives_502(bare: Front):
    """ELB user guide, troubleshooting, HTTP 502: a TCP RST when connecting; unhealthy ones are tried where there are no others."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = closed.getsockname()
        bare.control.register("moco-api", address)
        until(lambda: [target for target in bare.control.targets()["moco-api"] if target["health"] == "unhealthy"])

        answer = bare.ask("GET", "/", "api.example.run")

    assert answer.status == 502
    assert parse_line(bare.line_of(answer.client_port)).status == 502


def test_a_target_that_does_not_answer_in_time_gives_504(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, troubleshooting, HTTP 504: no response before the idle timeout (0.8 s here)."""
    answer = bare.ask("GET", "/slow", "api.example.run")

    line = parse_line(bare.line_of(answer.client_port))
    assert (answer.status, line.status, line.target_status, line.total_s) == (504, 504, None, None)


def test_a_client_that_goes_first_is_logged_as_460(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, troubleshooting, HTTP 460: the client closed the connection before the idle timeout."""
    asked = b"GET /slow HTTP/1.1\r\nHost: api.example.run\r\n\r\n"

    _, port = raw(bare, asked, close_after=True)

    assert split_line(bare.line_of(port))[8:12] == ["460", "-", str(len(asked)), "0"]


def test_a_malformed_request_gets_400_and_a_line(bare: Front, one_target: ScriptedTarget):
    """ELB user guide, request field: what a malformed request lacks is "-"."""
    received, port = raw(bare, b"NONSENSE\r\n\r\n")

    line = bare.line_of(port)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert split_line(line)[12] == f"- http://127.0.0.1:{bare.port}- -"
    assert parse_line(line).status == 400


def test_a_request_for_an_upgrade_is_answered_as_the_plain_request_that_it_is(bare: Front, one_target: ScriptedTarget):
    """RFC 9110 section 7.8: a server may ignore Upgrade; the connection serves the next request."""
    upgrade = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with socket.create_connection(("127.0.0.1", bare.port), timeout=10) as connection:
        connection.sendall(upgrade)
        first = connection.recv(65536)
        connection.sendall(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        second = connection.recv(65536)

    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 200")


def test_each_request_on_a_connection_has_its_own_line_and_the_connections_id(bare: Front, one_target: ScriptedTarget):
    asked = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    received, port = raw(bare, asked)

    lines = until(lambda: found if len(found := [text for text in bare.texts() if f":{port} " in text]) == 2 else None)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert [parse_line(text).url.rpartition("/")[2] for text in lines] == ["a", "b"]
    assert len({split_line(text)[29] for text in lines}) == 1


@pytest.mark.parametrize(("path", "body"), [("/chunked", b"abcde"), ("/to-the-end", b"until I close"), ("/hint", b"ok"), ("/plain", b"ok")])
def test_every_framing_of_a_response_arrives_whole(bare: Front, one_target: ScriptedTarget, path: str, body: bytes):
    """RFC 9112 section 6: length, chunks, or the connection's end; RFC 9110 section 15.2: 1xx before the response."""
    answers = [bare.ask("GET", path, "api.example.run") for _ in range(3)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, body)] * 3


def test_a_heads_answer_has_a_length_and_no_body(bare: Front, one_target: ScriptedTarget):
    """RFC 9110 section 9.3.2; the connection to the target is still good for the next request."""
    answers = [bare.ask(method, "/plain", "api.example.run") for method in ("HEAD", "GET", "HEAD", "GET")]

    assert [(answer.headers["content-length"], answer.body) for answer in answers] == [("2", b""), ("2", b"ok")] * 2


def test_an_uploads_body_reaches_the_target_and_counts_as_received(bare: Front, one_target: ScriptedTarget):
    head = b"POST /up HTTP/1.1\r\nHost: api.example.run\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"

    _, port = raw(bare, head + chunks)

    (_, body), = one_target.requests("/up")
    assert body == b"hello world"
    assert parse_line(bare.line_of(port)).received_bytes == len(head + chunks)


def test_a_targets_own_status_and_reason_pass_through(bare: Front, one_target: ScriptedTarget):
    received, port = raw(bare, b"GET /teapot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 418 I'm a teapot\r\n")
    assert split_line(bare.line_of(port))[8:10] == ["418", "418"]


def test_a_drained_target_finishes_and_gets_nothing_new(bare: Front, make_target: Callable[[], ScriptedTarget]):
    """ELB user guide, deregistration delay: requests under way finish, new ones go elsewhere."""
    old, new = make_target(), make_target()
    for target in (old, new):
        bare.control.register("moco-api", target.address)
        bare.control.wait_healthy("moco-api", target.address)

    bare.control.deregister("moco-api", old.address)
    bare.control.wait_drained("moco-api", old.address)
    statuses = {bare.ask("GET", "/after", "api.example.run").status for _ in range(6)}

    assert statuses == {200}
    assert old.requests("/after") == []
    assert len(new.requests("/after")) == 6
