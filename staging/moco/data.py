"""PostgreSQL and Redis with folders and ports of their own, the database filled with the demo's account and boards."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from evidence import SizeupError
from staging.facts import DEMO_EMAIL, DEMO_PASSWORD
from staging.ground import Ground
from staging.moco.build import API
from staging.moco.ports import free_port, wait_until
from staging.moco.tools import program
from staging.processes import Child
from staging.sample import Sample, sample_data

DATABASE, ROLE = "moco", "moco"
# What an RDS instance of the smallest class would be told, near enough; nothing here outlives the stack, so nothing waits for the disk.
_POSTGRES = {"max_connections": "60", "shared_buffers": "64MB", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_S = 60.0


def data_folder(home: Path) -> Path:
    """Return where a stack's services keep their files: outside `home`, whose parents another user may not enter, one folder a home."""
    return Path(tempfile.gettempdir()) / f"sizeup-moco-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]}"


def new_data_folder(home: Path) -> Path:
    """Make the folder anew; what a killed stack left there goes.

    Raises
    ------
    SizeupError
        Where it belongs to somebody else.
    """
    folder = data_folder(home)
    if folder.exists() and folder.stat().st_uid != os.getuid():
        raise SizeupError(f"{folder}: belongs to another user; remove it, or name another --results.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    return folder


def start_postgres(ground: Ground, folder: Path) -> Child:
    """Start PostgreSQL, fill it, and return when it answers; `facts` has its port."""
    user, data, port = _unprivileged(), folder / "postgres", free_port()
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    _initialise(ground, data, user)
    options = [part for name, value in _POSTGRES.items() for part in ("-c", f"{name}={value}")]
    listen = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}", "-p", str(port)]
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for its clients to leave.
    command = [program("postgres"), "-D", str(data), *listen, *options]
    child = ground.launch("postgres", command, user=user, ends_by=signal.SIGINT, folder=data)
    child.facts["port"] = port
    wait_until(child, lambda: _psql(port, "SELECT 1", "postgres", quiet=True), START_S)
    _fill(ground, port)
    return child


def start_redis(ground: Ground, folder: Path) -> Child:
    """Start Redis, which keeps nothing; `facts` has its port."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    child = ground.launch("redis", [program("redis-server"), *options])
    child.facts["port"] = port
    return wait_until(child, lambda: _pings(port), START_S)


def fill_sql(sample: Sample) -> Iterable[str]:
    """Yield the statements that put the demo's account and a seed's boards into an empty database."""
    yield "INSERT INTO person (email, password_hash) VALUES"
    yield f"({_text(DEMO_EMAIL)}, crypt({_text(DEMO_PASSWORD)}, gen_salt('bf', 10)));"
    yield "INSERT INTO board (author_id, title, content) VALUES"
    yield ",\n".join(f"(1, {_text(title)}, {_text(content)})" for title, content in sample.boards) + ";"
    yield "INSERT INTO comment (board_id, author_id, content) VALUES"
    yield ",\n".join(f"({board}, 1, {_text(content)})" for board, content in sample.comments) + ";"


def _fill(ground: Ground, port: int) -> None:
    schema = (API.folder / "schema.sql").read_text()
    filled = (
        _psql(port, f"CREATE DATABASE {DATABASE}", "postgres")
        and _psql(port, f"{schema}\n{chr(10).join(fill_sql(sample_data(ground.options.seed)))}\nANALYZE;", DATABASE)
    )  # fmt: skip
    if not filled:
        raise SizeupError(f"the stack's database can't be filled; {ground.log('postgres')} says why.")


def _initialise(ground: Ground, data: Path, user: str | None) -> None:
    command = [program("initdb"), "-D", str(data), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    with ground.log("postgres").open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=out, cwd=data, user=user, extra_groups=[] if user else None)
    if done.returncode:
        raise SizeupError(f"the stack's database can't be made; {ground.log('postgres')} says why.")


def _unprivileged() -> str | None:
    """Return who runs PostgreSQL, which refuses root; None is ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _psql(port: int, sql: str, database: str, *, quiet: bool = False) -> bool:
    command = [program("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", ROLE, "-d", database, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    done = subprocess.run(command, input=sql, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if quiet else None)
    return done.returncode == 0


def _pings(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as cache:
            cache.sendall(b"PING\r\n")
            return cache.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
