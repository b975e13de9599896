"""Both stacks answer alike: the same requests, one after the other, get the same status and the same fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from moco_client import ACCOUNT, API, WEB, Client

from staging import Stack, StackOptions, start_stack

ASSETS = ("app.css", "app.js", "logo.svg")
BOUNDARY = "frontier"
PICTURE = f"""--{BOUNDARY}\r
Content-Disposition: form-data; name="file"; filename="a.png"\r
Content-Type: image/png\r
\r
abc\r
--{BOUNDARY}--\r
"""
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    options = StackOptions(api_memory_bytes=2**20, api_cpu_s=0)
    with start_stack(tmp_path_factory.mktemp("embedded"), options) as running:
        yield Client(running.info.alb_url)


def answers(client: Client) -> list[tuple[str, int, object]]:
    """Each request that a scenario sends, and some that must fail: what was asked, its status, the fields of its JSON."""
    seen: list[tuple[str, int, object]] = []

    def ask(method: str, path: str, host: str = API, **options) -> dict:
        answer = client.ask(method, path, host, **options)
        seen.append((f"{method} {host}{path.replace(made, 'NEW')}", answer.status, fields(answer.body) if answer.status < 300 else None))
        return json.loads(answer.body) if host == API and answer.status < 300 and answer.body else {}

    made = "/never"
    tokens = ask("POST", "/auth/login", body=ACCOUNT)
    ask("POST", "/auth/login", body={**ACCOUNT, "password": "wrong"})
    ask("POST", "/auth/refresh", body={"refreshToken": tokens["refreshToken"]})
    ask("POST", "/auth/refresh", body={"refreshToken": "0" * 48})
    bearer = {"Authorization": f"Bearer {tokens['accessToken']}"}
    for path in ("", "?page=1", "?page=21", "/search?q=heap", "/7", "/7/comments", "/99999"):
        ask("GET", f"/boards{path}")
    ask("POST", "/boards", body={"title": "t", "content": "c"})
    made = f"/{ask('POST', '/boards', body={'title': 't', 'content': 'c'}, headers=bearer)['id']}"
    ask("PUT", f"/boards{made}", body={"title": "u", "content": "d"}, headers=bearer)
    ask("POST", f"/boards{made}/comments", body={"content": "c"}, headers=bearer)
    ask("POST", f"/boards{made}/likes", headers=bearer)
    ask("POST", "/images", body=PICTURE.encode(), headers={**bearer, **MULTIPART})
    ask("DELETE", f"/boards{made}", headers=bearer)
    ask("DELETE", f"/boards{made}", headers=bearer)
    for path in ("/", "/about", "/boards", "/boards/7", "/boards/99999", "/nowhere", *(f"/assets/{name}" for name in ASSETS)):
        ask("GET", path, WEB)
    return seen


def fields(body: bytes) -> object:
    """The names in a JSON answer, those of a list's first item too; nothing of a page."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return {key: sorted(item[0]) if isinstance(item, list) and item else None for key, item in value.items()}


def test_the_same_requests_get_the_same_answers(client: Client, embedded: Client):
    assert answers(client) == answers(embedded)


def test_the_same_boards_stand_in_both(client: Client, embedded: Client):
    for path in ("/boards?page=3", "/boards/9", "/boards/9/comments", "/boards/search?q=heap"):
        assert client.ask("GET", path).json() == embedded.ask("GET", path).json()


def test_a_page_shows_what_the_api_says(client: Client):
    page = client.ask("GET", "/boards/7", WEB).body.decode()
    board = client.ask("GET", "/boards/7").json()

    assert board["title"] in page
    assert board["content"] in page
    assert client.ask("GET", "/boards/7/comments").json()["content"][0]["content"] in page


def test_health_asks_the_database_and_the_cache_behind_it(client: Client):
    """Spring Boot's actuator at the path that the load balancer checks."""
    answer = client.ask("GET", "/health")

    assert (answer.status, answer.json()["status"]) == (200, "UP")


def test_each_host_is_its_process_tree_and_data_belong_to_none(stack: Stack):
    """RDS and ElastiCache are no part of the API's host, nor are load balancer and account."""
    hosts = {host["host"]: host["roots"] for host in json.loads((stack.home / "trees.json").read_text())["hosts"]}

    assert [root["group"] for root in hosts["frontend"]] == ["node"]
    assert [(root["group"], root["color"]) for root in hosts["api"]] == [
        ("jvm", stack._service.color), ("nginx", None), ("codedeploy-agent-standin", None),
    ]  # fmt: skip
    assert len({root["pid"] for roots in hosts.values() for root in roots}) == 4


def test_the_agents_stand_in_is_a_ruby_of_the_agents_size(stack: Stack):
    """measured: an agent-like Ruby has a PSS of 19 MiB; the real one is a master and a child as well."""
    (agent,) = [root.child for root in stack._service.trees()["api"] if root.group == "codedeploy-agent-standin"]
    process = psutil.Process(agent.pid)
    tree = [process, *process.children()]

    assert len(tree) == 2
    assert "standin" in " ".join(process.cmdline())
    assert 12 * 2**20 < sum(each.memory_full_info().pss for each in tree) < 45 * 2**20


def test_no_secret_is_written_or_shown(stack: Stack):
    secret = stack._service._secret.encode()

    for child in stack._ground.children:
        assert secret not in Path(f"/proc/{child.pid}/cmdline").read_bytes()
    assert not any(secret in file.read_bytes() for file in stack.home.rglob("*") if file.is_file())
