"""The real service: JVMs in two colours behind nginx, an agent beside them, Next.js, and what RDS and ElastiCache would hold."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping, Sequence

from catalogue import load_catalogue
from evidence import SizeupError, process_mark
from staging.facts import HOSTS, TARGET_GROUPS
from staging.ground import COLORS, Balancer, Ground, other_color
from staging.moco.build import API, FRONTEND, HOME, JAR, QUIET, build
from staging.moco.data import new_data_folder, start_postgres, start_redis
from staging.moco.jvm import jvm_flags
from staging.moco.nginx import Nginx
from staging.moco.ports import answers_health, free_port, wait_until
from staging.moco.tools import check_toolchain, install_missing, program
from staging.processes import Child
from staging.trees import Root

START_S = 120.0


class MocoService:
    """The load balancer's target is nginx, so a deployment is a change of nginx's upstream, as CodeDeploy's hooks would make it."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._secret = ground, secrets.token_hex(32)
        self._jvms: list[Root] = []
        self._beside: list[Root] = []
        self._frontend: list[Root] = []

    @property
    def color(self) -> str:
        return str(self._jvms[0].color)

    def begin(self) -> None:
        self._prepare()
        self._data = new_data_folder(self._ground.home)
        self._start_guard()
        self._database = start_postgres(self._ground, self._data)
        self._cache = start_redis(self._ground, self._data)
        self._start_jvm(COLORS[0])

    def join(self, balancer: Balancer) -> None:
        jvm = self._jvms[0].child
        self._nginx = Nginx(self._ground, self._data, jvm.facts["port"])
        agent = self._ground.launch("agent", [program("ruby"), str(HOME / "codedeploy-agent-standin.rb")])
        self._beside = [Root(self._nginx.child, "nginx"), Root(agent, "codedeploy-agent-standin")]
        self._frontend = [Root(self._start_frontend(balancer.port), "node")]
        self._ground.changed()
        wait_until(jvm, lambda: answers_health(jvm.facts["port"]), START_S)
        targets = {"api": self._nginx.wait_ready(), "frontend": self._frontend[0].child}
        for kind, child in targets.items():
            balancer.control.register(TARGET_GROUPS[kind], child.address)
            balancer.control.wait_healthy(TARGET_GROUPS[kind], child.address)

    def deploy(self, balancer: Balancer) -> None:
        old = self._jvms[0].child
        new = self._start_jvm(other_color(self.color))
        try:
            wait_until(new, lambda: answers_health(new.facts["port"]), START_S)
            self._nginx.switch(new.facts["port"])
        except SizeupError:
            self._drop_jvm(new)
            raise
        time.sleep(self._ground.options.overlap_s)
        self._drop_jvm(old)

    def trees(self) -> Mapping[str, Sequence[Root]]:
        return {"frontend": self._frontend, "api": [*self._jvms, *self._beside]}

    def _prepare(self) -> None:
        check_toolchain()
        install_missing(self._ground.say)
        for project in (API, FRONTEND):
            build(project, self._ground.log(f"build-{project.folder.name}"), self._ground.say)

    def _start_guard(self) -> None:
        settings = {"home": str(self._ground.home.resolve()), "owner": process_mark(os.getpid()), "data": str(self._data)}
        self._ground.spawn("guard", "staging.moco.guard", settings).wait_ready()

    def _start_jvm(self, color: str) -> Child:
        options, port = self._ground.options, free_port()
        instance = load_catalogue(options.region).types[options.present["api"]]
        settings = [f"--server.port={port}", f"--moco.color={color}"]
        env = {
            "MOCO_TOKEN_SECRET": self._secret, "MOCO_DATABASE_PORT": str(self._database.facts["port"]),
            "MOCO_CACHE_PORT": str(self._cache.facts["port"]),
        }  # fmt: skip
        command = [program("java"), *jvm_flags(instance, options.jvm), "-jar", str(JAR), *settings]
        child = self._ground.launch(f"api-{color}", command, env=env)
        child.facts["port"] = port
        self._jvms.append(Root(child, "jvm", color))
        self._ground.changed()
        return child

    def _drop_jvm(self, child: Child) -> None:
        self._jvms = [root for root in self._jvms if root.child is not child]
        self._ground.end(child)

    def _start_frontend(self, balancer_port: int) -> Child:
        port = free_port()
        options = ["-H", "127.0.0.1", "-p", str(port), "--keepAliveTimeout", "75000"]  # longer than the load balancer's 60 s
        command = [program("node"), "node_modules/next/dist/bin/next", "start", *options]
        env = {**QUIET, "MOCO_API_URL": f"http://127.0.0.1:{balancer_port}", "MOCO_API_HOST": HOSTS["api"], "NODE_ENV": "production"}
        child = self._ground.launch("frontend", command, env=env, folder=FRONTEND.folder)
        child.facts["port"] = port
        return wait_until(child, lambda: answers_health(port), START_S)
