"""A stranger's locustfile: docs/reference/python.md's example, and a steady user beside it."""

from __future__ import annotations

import os

from loadtests import OpenLoopUser, check, feed, scenario

people = feed(os.environ["PEOPLE"])


class Board(OpenLoopUser):
    rate = 5.0
    arrivals = "poisson"
    connections = 64
    timeout_s = 5.0

    def on_start(self):
        self.token = self.http.post("/auth/login", json=next(people), name="login").json()["accessToken"]

    @scenario(weight=8)
    def read(self, session):
        page = session.get("/boards?page=1", expect=200, has=b'"content"')
        session.get(f"/boards/{page.json()['content'][0]['id']}", name="/boards/[id]", check=check.json("id"))

    @scenario(weight=1)
    def write(self, session):
        session.post("/boards", json={"title": "x"}, bearer=self.token, expect=201)


class Steady(OpenLoopUser):
    rate = 200.0
    arrivals = "constant"

    @scenario()
    def one(self, session):
        session.get("/boards/1/comments", expect=200)
