"""The host agent on a host: put there, asked, fetched from, removed. Each step is a shell script that can be run again.

It is installed as root where the login may become root without a password (the PSS of other users' processes is root's
to read), else for the user alone: below /var/lib/sizeup-agent or ~/.sizeup-agent, as a systemd unit with caps where
systemd is and root installs, else as a process of its own with a pid file.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shlex
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collectors.transport import Remote
from evidence import SizeupError

if TYPE_CHECKING:
    from sizing.settings import GroupRule

MEMORY_CAP_MB, CPU_CAP_PERCENT = 48, 5
FETCH_S = 300.0
LOOK_SLACK_S = 60.0
OLDEST_PYTHON = (3, 7)

# The script runs as root where it may and is wanted; it is handed on by a pipe, as arguments can be seen by everybody.
WRAPPER = """script=$(cat <<'SIZEUP_SCRIPT'
%s
SIZEUP_SCRIPT
)
if [ %d = 1 ] && [ "$(id -u)" != 0 ] && command -v sudo >/dev/null && sudo -n true 2>/dev/null
then printf '%%s\\n' "$script" | sudo -n sh -s
else printf '%%s\\n' "$script" | sh -s
fi
"""

PLACE = """set -eu
umask 022
if [ %d = 1 ] && [ "$(id -u)" = 0 ]; then home=/var/lib/sizeup-agent; else home=$HOME/.sizeup-agent; fi
unit=/etc/systemd/system/sizeup-agent.service
py=
for name in /usr/bin/python3 python3; do
  if [ -z "$py" ] && command -v "$name" >/dev/null; then py=$("$name" -c 'import sys; print(sys.executable)' 2>/dev/null || true); fi
done
systemd=0; if [ "$home" = /var/lib/sizeup-agent ] && [ -d /run/systemd/system ]; then systemd=1; fi
pid=
if [ -r "$home/agent.pid" ]; then
  pid=$(cat "$home/agent.pid")
  tr '\\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--spool $home/spool" || pid=
fi
if [ "$systemd" = 1 ] && [ -e "$unit" ]; then
  pid=$(systemctl show -p MainPID --value sizeup-agent); if [ "$pid" = 0 ]; then pid=; fi
fi
"""

ASK = """echo "home=$home"
echo "root=$(if [ "$(id -u)" = 0 ]; then echo 1; else echo 0; fi)"
echo "systemd=$systemd"
echo "python=$(if [ -n "$py" ]; then "$py" -c 'import sys; print(sys.version.split()[0])'; fi)"
echo "interpreter=$py"
echo "pid=$pid"
echo "mark=$(cat "$home/mark" 2>/dev/null || true)"
echo "beat=$(cat "$home/beat" 2>/dev/null || true)"
echo "spool_bytes=$(cat "$home"/spool/*.seg 2>/dev/null | wc -c)"
last=$(ls -t "$home"/spool/*.seg 2>/dev/null | head -n 1)
echo "silent_s=$(if [ -n "$last" ]; then echo $(($(date +%s) - $(stat -c %Y "$last"))); fi)"
echo "complaint=$(tail -n 1 "$home/agent.log" 2>/dev/null || true)"
"""

STOP = """if [ "$systemd" = 1 ] && [ -e "$unit" ]; then systemctl disable --now sizeup-agent 2>/dev/null
elif [ -n "$pid" ]; then
  kill "$pid"
  n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
  if kill -0 "$pid" 2>/dev/null; then kill -9 "$pid"; fi
fi
rm -f "$home/agent.pid"
"""

UNPACK = """unpack() {
"$py" -I -S -E -c 'import binascii, sys, zlib; open(sys.argv[1], "wb").write(zlib.decompress(binascii.a2b_base64(sys.stdin.read())))' "$1"
}
compile() {
"$py" -I -S -E -c 'import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[1] + "c", doraise=True, optimize=2)' "$1"
}
"""

# Compiled, as a script of this size run from source keeps megabytes of the compiler's; the source where Python has changed since.
RUN = """#!/bin/sh
file=%(home)s/agent.pyc
magic='import sys, _frozen_importlib_external as f; sys.exit(open(sys.argv[1], "rb").read(4) != f.MAGIC_NUMBER)'
%(py)s -I -S -E -c "$magic" "$file" 2>/dev/null || file=%(home)s/agent.py
exec %(py)s -I -S -E "$file" --spool %(home)s/spool %(options)s "$@"
"""

UNIT = """[Unit]
Description=sizeup host agent
[Service]
ExecStart=/bin/sh %(home)s/run.sh
Restart=always
RestartSec=5
MemoryMax=%(memory)dM
CPUQuota=%(cpu)d%%
Nice=5
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=%(home)s
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE
RestrictAddressFamilies=none
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class AgentState:
    """What a host says of the agent on it.

    Attributes
    ----------
    mark : str
        Digest of the agent, its beat and its rules; empty where none is installed.
    silent_s : int or None
        Since the last beat was written.
    """

    home: str
    root: bool
    systemd: bool
    python: str
    interpreter: str
    pid: int | None
    mark: str
    beat: str
    spool_bytes: int
    silent_s: int | None
    complaint: str

    @property
    def running(self) -> bool:
        return self.pid is not None

    def as_json(self) -> dict[str, Any]:
        return {
            "home": self.home, "root": self.root, "systemd": self.systemd, "python": self.python, "installed": bool(self.mark),
            "running": self.running, "pid": self.pid, "beat": self.beat or None, "spool_bytes": self.spool_bytes,
            "silent_s": self.silent_s, "complaint": self.complaint or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """The agent as it is to be: its beat, whose rules, and whether as root where that may be."""

    beat: str = "1s"
    root: bool = True
    host_class: str = "host"
    rules: Sequence[GroupRule] = ()

    @property
    def groups_json(self) -> bytes:
        """The rules as agent.py reads them; nothing where there are none, as reading them costs it 1.5 MB."""
        if not self.rules and self.host_class == "host":
            return b""
        groups = [{"name": rule.name, "match": rule.match, "color": rule.color} for rule in self.rules]
        return json.dumps({"class": self.host_class, "groups": groups}).encode()

    @property
    def mark(self) -> str:
        return hashlib.sha256(b"\0".join([agent_source(), self.beat.encode(), self.groups_json])).hexdigest()[:16]


def agent_source() -> bytes:
    return Path(__file__).with_name("agent.py").read_bytes()


def ask_agent(remote: Remote, *, root: bool = True) -> AgentState:
    """Ask a host what it has; changes nothing."""
    output = remote.run(_script(root, ASK)).decode(errors="replace")
    said = dict(line.partition("=")[::2] for line in output.splitlines() if "=" in line)
    return AgentState(
        home=said["home"], root=said["root"] == "1", systemd=said["systemd"] == "1", python=said["python"],
        interpreter=said["interpreter"], pid=_int(said["pid"]),
        mark=said["mark"], beat=said["beat"], spool_bytes=_int(said["spool_bytes"]) or 0, silent_s=_int(said["silent_s"]),
        complaint=said["complaint"],
    )  # fmt: skip


def plan_install(host: str, state: AgentState, wanted: Wanted) -> list[str]:
    """Say what installing will do there; nothing where all is as it should be.

    Raises
    ------
    SizeupError
        Where the host has no Python that the agent runs on.
    """
    check_python(host, state.python)
    if state.running and state.mark == wanted.mark:
        return []
    whose = "as root" if state.root else "as this user: the PSS of other users' processes stays unknown"
    steps = [f"end the agent that runs there (pid {state.pid}); its spool stays"] if state.running else []
    steps.append(f"write agent.py to {state.home} and compile it with Python {state.python}")
    if state.systemd:
        caps = f"at most {MEMORY_CAP_MB} MB of memory and {CPU_CAP_PERCENT} % of a CPU"
        return [*steps, f"start it {whose}, as the systemd unit sizeup-agent with {caps}, each {wanted.beat}"]
    return [*steps, f"start it {whose}, as a process that a reboot ends, each {wanted.beat}"]


def check_python(host: str, version: str) -> None:
    """Refuse a host whose Python is too old.

    Raises
    ------
    SizeupError
        Naming what it has.
    """
    parts = version.split(".")[:2]
    if not version or tuple(int(part) for part in parts) < OLDEST_PYTHON:
        has = f"Python {version}" if version else "no python3"
        raise SizeupError(f"{host}: it has {has}, and the agent needs 3.7 or newer; install python3 there.")


def install_agent(remote: Remote, state: AgentState, wanted: Wanted) -> None:
    """Put the agent there, in place of one that is there, and start it."""
    words = {"home": shlex.quote(state.home), "py": shlex.quote(state.interpreter), "options": _options(state.home, wanted)}
    unit = UNIT % {"home": state.home, "memory": MEMORY_CAP_MB, "cpu": CPU_CAP_PERCENT}
    start = (
        f"cat > \"$unit\" <<'SIZEUP_UNIT'\n{unit}SIZEUP_UNIT\nsystemctl daemon-reload\nsystemctl enable --now sizeup-agent\n"
        if state.systemd else
        'setsid nohup sh "$home/run.sh" >/dev/null 2>>"$home/agent.log" </dev/null &\necho $! > "$home/agent.pid"\n'
        'sleep 0.3\nkill -0 "$(cat "$home/agent.pid")" || { tail -n 1 "$home/agent.log" >&2; exit 1; }\n'
    )  # fmt: skip
    steps = [
        UNPACK, 'mkdir -p "$home/spool"\n', STOP, _put("$home/agent.py", agent_source()), 'compile "$home/agent.py"\n',
        _put("$home/groups.json", wanted.groups_json) if wanted.groups_json else 'rm -f "$home/groups.json"\n',
        _put("$home/run.sh", (RUN % words).encode()),
        f'echo {shlex.quote(wanted.beat)} > "$home/beat"\n: > "$home/agent.log"\n', start, f'echo {wanted.mark} > "$home/mark"\n',
    ]  # fmt: skip
    remote.run(_script(wanted.root, "".join(steps)))


def remove_agent(remote: Remote, *, root: bool = True) -> None:
    """End the agent there, and delete all that was installed, its spool too."""
    unit = 'if [ "$systemd" = 1 ]; then rm -f "$unit"; systemctl daemon-reload; fi\n'
    remote.run(_script(root, STOP + unit + 'rm -rf "$home"\n'))


def fetch_spool(remote: Remote, into: Path, *, root: bool = True) -> int:
    """Bring the spool's files here that aren't here yet, and the newest again; return how many.

    Raises
    ------
    SizeupError
        Where the host has no spool.
    """
    into.mkdir(parents=True, exist_ok=True)
    newest = max((file.name for file in into.glob("[0-9]*.seg")), default="0.seg")
    script = (
        'cd "$home/spool" 2>/dev/null || { echo "no agent is installed there; run sizeup agent install" >&2; exit 1; }\n'
        f'newest={int(newest[:-4])}; set --\n'
        'for name in *.seg; do if [ -e "$name" ] && [ "${name%.seg}" -ge "$newest" ]; then set -- "$@" "$name"; fi; done\n'
        'tar -cf - --files-from /dev/null "$@"\n'
    )
    return unpack(remote.fetch(_script(root, script), FETCH_S), into)


def watch_host(remote: Remote, into: Path, seconds: float, wanted: Wanted) -> int:
    """Run the agent there for so long, from a folder that is gone afterwards, and bring its spool here."""
    groups = _put("$d/groups.json", wanted.groups_json) if wanted.groups_json else ""
    option = '--groups "$d/groups.json"' if groups else ""
    script = (
        f'{UNPACK}d=$(mktemp -d); trap \'rm -rf "$d"\' EXIT\n{_put("$d/agent.py", agent_source())}{groups}'
        f'"$py" -I -S -E "$d/agent.py" --spool "$d/spool" --seconds {seconds} --beat {wanted.beat} {option} >&2\n'
        'tar -C "$d/spool" -cf - .\n'
    )
    into.mkdir(parents=True, exist_ok=True)
    return unpack(remote.fetch(_script(wanted.root, script), seconds + LOOK_SLACK_S), into)


def unpack(tar: bytes, into: Path) -> int:
    """Write the segments of a spool's tar into a folder; what else a host sends is left out."""
    count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            for member in archive:
                name = Path(member.name).name
                body = archive.extractfile(member) if member.isfile() and name.endswith(".seg") and name[:-4].isdigit() else None
                if body is not None:
                    (into / name).write_bytes(body.read())
                    count += 1
    except tarfile.TarError as torn:
        raise SizeupError(f"what the host sent is no tar ({torn}); does its login print something? It must be silent.") from None
    return count


def _script(root: bool, body: str) -> str:
    return WRAPPER % (PLACE % root + body, root)


def _put(path: str, data: bytes) -> str:
    return f'unpack "{path}" <<SIZEUP_DATA\n{base64.b64encode(zlib.compress(data, 9)).decode()}\nSIZEUP_DATA\n'


def _options(home: str, wanted: Wanted) -> str:
    words: Mapping[str, str] = {"--beat": wanted.beat} | ({"--groups": f"{home}/groups.json"} if wanted.groups_json else {})
    return " ".join(shlex.quote(word) for pair in words.items() for word in pair)


def _int(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
