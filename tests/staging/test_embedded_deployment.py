"""A deployment under load: both colours for a while, no request lost, nobody signed out."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

from stack_client import Front, until

from staging import Stack, request_deploy
from staging.embedded.account import Clients
from staging.embedded.http_client import Pool

API = "api.example.run"


async def keep_asking(port: int, stop: asyncio.Event) -> list[int]:
    """Ask both hosts, 100 a second, over kept connections, until told to stop; return every status."""
    pool, asked = Pool(), []

    async def ask(path: bytes, host: bytes) -> int:
        return (await pool.request(("127.0.0.1", port), b"GET", path, [(b"Host", host)])).status

    while not stop.is_set():
        asked.append(asyncio.ensure_future(ask(b"/boards?page=1", API.encode())))
        asked.append(asyncio.ensure_future(ask(b"/boards", b"example.run")))
        await asyncio.sleep(0.02)
    return list(await asyncio.gather(*asked))


async def deploy_under_load(stack: Stack, front: Front) -> list[int]:
    stop = asyncio.Event()
    asking = asyncio.ensure_future(keep_asking(front.port, stop))
    await asyncio.to_thread(stack.deploy)
    stop.set()
    return await asking


def test_a_deployment_under_load_loses_no_request(stack: Stack, front: Front):
    before, old = len(front.texts()), stack.info.pids["api"]

    statuses = asyncio.run(deploy_under_load(stack, front))

    lines = until(lambda: found if len(found := front.lines()[before:]) >= len(statuses) * 3 // 2 else None)
    assert len(statuses) > 50
    assert set(statuses) == {200}
    assert {line.status for line in lines} == {200}
    assert len({line.target for line in lines if "moco-api" in (line.target_group_arn or "")}) == 2
    assert stack.info.pids["api"] != old


def test_both_colours_are_in_the_trees_while_they_overlap(stack: Stack):
    before = _colors(stack)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(stack.deploy)
        during = until(lambda: found if len(found := _colors(stack)) == 2 else None)
        deployment = done.result()

    assert during == [deployment.from_color, deployment.to_color]
    assert before == [deployment.from_color]
    assert _colors(stack) == [deployment.to_color]
    assert (deployment.ended_at - deployment.started_at).total_seconds() >= stack.options.overlap_s


def test_tokens_outlive_a_deployment_that_another_process_asked_for(stack: Stack, front: Front):
    tokens = front.ask("POST", "/auth/login", API, {"email": "demo@example.run", "password": "demo-password"}).json()

    deployment = request_deploy(stack.home)

    refreshed = front.ask("POST", "/auth/refresh", API, {"refreshToken": tokens["refreshToken"]})
    written = front.ask("POST", "/boards/1/likes", API, None, {"Authorization": f"Bearer {tokens['accessToken']}"})
    assert deployment.from_color != deployment.to_color
    assert (refreshed.status, written.status) == (200, 201)


def test_the_account_knows_of_each_deployment(stack: Stack):
    client = Clients(stack.info.aws_endpoint_url, stack.info.region).codedeploy
    before = client.list_deployments(applicationName="moco-api", deploymentGroupName="staging")["deployments"]

    stack.deploy()

    after = client.list_deployments(applicationName="moco-api", deploymentGroupName="staging")["deployments"]
    assert len(after) == len(before) + 1


def _colors(stack: Stack) -> list[str]:
    hosts = json.loads(stack.info.trees.read_bytes())["hosts"]
    return [root["color"] for host in hosts if host["host"] == "api" for root in host["roots"]]
