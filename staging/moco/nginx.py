"""nginx in front of the API's two ports: its configuration, and the reload that swaps the colour."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil

from evidence import SizeupError
from staging.ground import Ground
from staging.moco.ports import answers_health, free_port, wait_until
from staging.moco.tools import program
from staging.processes import Child

DRAIN_S = 60.0
_CONFIG = """\
# Written by sizeup; the upstream is the colour that serves, replaced at each deployment.
daemon off;
{user}worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 20m;
  keepalive_timeout 75s;  # longer than the load balancer's 60 s
  keepalive_requests 1000000;
  upstream api {{
    server 127.0.0.1:{api_port};
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


class Nginx:
    """A running nginx; `switch` sends what comes from now on to another port and returns when the last request to the old one is done."""

    def __init__(self, ground: Ground, folder: Path, api_port: int) -> None:
        self._folder, self.port = folder / "nginx", free_port()
        self._folder.mkdir()
        self._write(api_port)
        self.child = ground.launch("nginx", [program("nginx"), "-p", str(self._folder), "-e", "stderr", "-c", str(self._config)])
        self.child.facts["port"] = self.port

    def wait_ready(self) -> Child:
        return wait_until(self.child, lambda: answers_health(self.port), 30)

    def switch(self, api_port: int) -> None:
        """Reload with another upstream; the old workers finish what they have and end.

        Raises
        ------
        SizeupError
            Where nginx has gone, or its old workers don't end.
        """
        old = self._workers()
        self._write(api_port)
        self.child.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + DRAIN_S
        while not (self._workers() - old) or self._workers() & old:
            if self.child.process.poll() is not None or time.monotonic() > deadline:
                raise SizeupError(f"nginx did not switch to port {api_port} within {DRAIN_S:.0f} s; {self.child.log} says why.")
            time.sleep(0.05)

    @property
    def _config(self) -> Path:
        return self._folder / "nginx.conf"

    def _write(self, api_port: int) -> None:
        # As root the workers would become another user, who owns nothing here.
        user = "user root;\n" if os.geteuid() == 0 else ""
        self._config.write_text(_CONFIG.format(folder=self._folder, user=user, port=self.port, api_port=api_port))

    def _workers(self) -> set[int]:
        try:
            return {child.pid for child in psutil.Process(self.child.pid).children()}
        except psutil.NoSuchProcess:
            return set()
