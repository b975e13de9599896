"""Odd lines of an access log: what a real load balancer writes beside the examples of its guide."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.alb_log import FEWEST, parse_line, split_line
from evidence.folder import create_run
from evidence.store import open_run

ARN = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067"


def line(**changed: str) -> str:
    """A line of the guide's with some fields as they are given, quotes included."""
    fields = {
        "type": "http", "time": "2018-07-02T22:23:00.186641Z", "elb": "app/my-loadbalancer/50dc6c495c0c9188",
        "client": "192.168.131.39:2817", "target": "10.0.0.1:80", "times": "0.000 0.001 0.000", "statuses": "200 200", "bytes": "34 366",
        "request": '"GET http://www.example.com:80/ HTTP/1.1"', "agent": '"curl/7.46.0"', "tls": "- -", "group": ARN,
        "trace": '"Root=1-58337262-36d228ad5d99923122bbe354"', "domain": '"-"', "cert": '"-"', "priority": "0",
        "created": "2018-07-02T22:22:48.364000Z", "actions": '"forward"', "redirect": '"-"', "reason": '"-"',
        "targets": '"10.0.0.1:80"', "target_statuses": '"200"', "class": '"-"', "class_reason": '"-"',
    }  # fmt: skip
    return " ".join((fields | changed).values())


@pytest.mark.parametrize(
    ("agent", "read"),
    [
        ('"Mozilla/5.0 (X11; Linux x86_64) Chrome/99"', "Mozilla/5.0 (X11; Linux x86_64) Chrome/99"),
        (r'"say \"hello\" twice"', r"say \"hello\" twice"),
        (r'"say \x22hello\x22 twice"', r"say \x22hello\x22 twice"),
        ('"ends in a backslash\\"', "ends in a backslash\\"),
        ('""', ""),
        ('"-"', "-"),
    ],
)
def test_a_user_agent_of_any_kind_moves_no_other_field(agent, read):
    """Spaces, escaped quotes in either form, a backslash before the closing quote, nothing at all."""
    found = parse_line(line(agent=agent))

    assert found.user_agent == read
    assert (found.target_group_arn, found.rule_priority, found.actions) == (ARN, 0, "forward")


def test_an_ipv6_client_and_target_are_told_as_they_stand():
    """A dual-stack load balancer."""
    found = parse_line(line(client="2001:db8:85a3::8a2e:370:7334:2817", target="[fd00::1]:8080"))

    assert (found.client, found.target, found.target_s) == ("2001:db8:85a3::8a2e:370:7334:2817", "[fd00::1]:8080", 0.001)


def test_where_no_target_answered_there_is_no_time_and_no_status():
    """User guide: -1 where the load balancer couldn't dispatch the request, "-" for the status."""
    found = parse_line(line(target="-", times="-1 -1 -1", statuses="503 -", group="-", targets='"-"', target_statuses='"-"'))

    assert (found.target, found.target_group_arn, found.total_s, found.status, found.target_status) == (None, None, None, 503, None)


def test_fields_that_a_later_format_adds_are_left_alone():
    """User guide: new fields are added at the end of a line."""
    later = f'{line()} TID_1234abcd5678ef90 "host" "uri" "ok" "of" 2029 "spaces too"'

    assert parse_line(later) == parse_line(line())


@pytest.mark.parametrize("kept", [FEWEST, FEWEST + 1, FEWEST + 3])
def test_a_line_of_an_earlier_format_is_read_too(kept):
    """The formats of 2016 and 2017 end with the target group, the trace id, the certificate; arrival is then the end."""
    earlier = line().replace('"curl/7.46.0"', "curl").split(" ")
    earlier = [*earlier[:12], " ".join(earlier[12:15]), *earlier[15 : kept + 2]]

    found = parse_line(" ".join(earlier))

    assert found.created_at == found.at
    assert (found.target_group_arn, found.rule_priority, found.actions) == (ARN, None, "-")


@pytest.mark.parametrize(
    ("request_line", "method", "url"),
    [
        ('"- http://www.example.com:80- -"', "-", "http://www.example.com:80-"),
        ('"- http://www.example.com:80- "', "-", "http://www.example.com:80-"),
        ('"GET http://[2001:db8::1]:80/a%20b?q=1 HTTP/1.1"', "GET", "http://[2001:db8::1]:80/a%20b?q=1"),
        ('"GET http://www.example.com:80/cut-for-its-length"', "GET", "http://www.example.com:80/cut-for-its-length"),
        ('"GET wss://www.example.com:443/socket HTTP/1.1"', "GET", "wss://www.example.com:443/socket"),
    ],
)
def test_a_request_of_any_kind_gives_method_and_address(request_line, method, url):
    """A malformed one, one by IPv6, one without its protocol, a WebSocket's."""
    found = parse_line(line(request=request_line))

    assert (found.method, found.url) == (method, url)


@pytest.mark.parametrize("text", ["", "hello", line(bytes="thirty 366"), line(time="yesterday"), " ".join(line().split()[:10])])
def test_what_is_no_line_is_refused(text):
    with pytest.raises(ValueError):
        parse_line(text)


def test_a_run_leaves_out_lines_that_are_no_access_logs(tmp_path: Path):
    """One odd line must not take the others with it."""
    folder = create_run(tmp_path, "staging", "collect", datetime(2018, 7, 2, tzinfo=UTC))
    (folder.path / "alb").mkdir()
    lines = [line(), "#Version: 1.0", line(request='"GET http://www.example.com/no-port HTTP/1.1"', created="-")]
    (folder.path / "alb" / "a.log.gz").write_bytes(gzip.compress("".join(f"{each}\n" for each in lines).encode()))

    log = open_run(folder.path).access_log

    assert log["host"].to_list() == ["www.example.com", "www.example.com"]
    assert log["target_group"].to_list() == ["my-targets", "my-targets"]


def test_quotes_are_taken_off_each_field():
    assert len(split_line(line())) == 29
