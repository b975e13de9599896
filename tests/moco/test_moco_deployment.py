"""Deployments under load: no request fails, two colours are seen, the old one is gone afterwards."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from itertools import pairwise

import psutil
from moco_client import API, Client

from staging import Stack

DEPLOYMENTS = int(os.environ.get("SIZEUP_MOCO_DEPLOYMENTS", "4"))
VISITORS, PAUSE_S = 4, 0.1


def visit(client: Client, bearer: dict[str, str], over: threading.Event, seen: Counter[str]) -> None:
    """Read and write, over and over; count each status."""
    while not over.is_set():
        for method, path, body in (("GET", "/boards?page=1", None), ("GET", "/boards/7", None), ("POST", "/boards/7/likes", b"")):
            try:
                seen[f"{method} {client.ask(method, path, API, body, bearer).status}"] += 1
            except OSError as failed:
                seen[f"{method} {failed!r}"] += 1
        time.sleep(PAUSE_S)


def test_no_request_fails_while_the_colour_is_swapped(stack: Stack, client: Client, record_property):
    """Zero failed requests over 20 deployments under load; SIZEUP_MOCO_DEPLOYMENTS says how many are made here."""
    over, seen, bearer = threading.Event(), Counter(), client.bearer()
    visitors = [threading.Thread(target=visit, args=(client, bearer, over, seen)) for _ in range(VISITORS)]
    for visitor in visitors:
        visitor.start()

    colors = [stack.deploy().to_color for _ in range(DEPLOYMENTS)]
    over.set()
    for visitor in visitors:
        visitor.join()

    record_property("requests", sum(seen.values()))
    print(f"{DEPLOYMENTS} deployments, {sum(seen.values())} requests: {dict(seen)}")
    assert set(seen) == {"GET 200", "POST 201"}
    assert sum(seen.values()) > 50 * DEPLOYMENTS
    assert all(one != other for one, other in pairwise(colors))


def test_a_deployment_signs_nobody_out_and_leaves_one_jvm(stack: Stack, client: Client):
    """Both colours sign with the same secret, and refresh tokens lie in Redis."""
    bearer = client.bearer()
    before = [root.child.pid for root in stack._service.trees()["api"] if root.group == "jvm"]

    stack.deploy()

    assert client.ask("POST", "/boards/7/likes", API, b"", bearer).status == 201
    after = [root.child.pid for root in stack._service.trees()["api"] if root.group == "jvm"]
    assert len(before) == len(after) == 1
    assert before != after
    assert not psutil.pid_exists(before[0])
