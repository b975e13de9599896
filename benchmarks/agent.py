"""What the host agent costs beside prometheus-node-exporter and sysstat, on a host with two JVMs of 2 GB heaps and ten groups.

All run at once for `--minutes`, `--rounds` times; the table holds each figure's median. CPU is the kernel's own count in ns
(schedstat), memory smaps_rollup at the end of a round. node_exporter is scraped once a second, as it does its work then;
sadc collects once a second. As root all of it runs in a pid namespace of its own, so that the host holds just that load,
whatever else the machine runs. Prints the table, then one JSON line; exit 1 where a target of ours is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SADC = "/usr/lib/sysstat/sadc"
EXPORTER = "prometheus-node-exporter"
SETTLE_S = 20.0
HEAP_MB = 2048
# ours: PSS and RSS in MB (10^6), CPU in % of a core, disk in MB an hour
TARGETS = {"pss_mb": 9.0, "rss_mb": 11.0, "cpu_percent": 0.20, "disk_mb_per_h": 0.8}
CPU_WITHOUT_PSS_PERCENT = 0.10

# Each heap is touched whole; then a little garbage, as a service at rest makes, so that its figures move.
JVM = """
public class Heap {
    static byte[] garbage;
    public static void main(String[] args) throws Exception {
        byte[][] kept = new byte[Integer.parseInt(args[0])][];
        for (int n = 0; n < kept.length; n++) kept[n] = new byte[1 << 20];
        System.out.println("ready");
        while (true) { garbage = new byte[1 << 16]; Thread.sleep(50); }
    }
}
"""
# ten groups: their names are their programs', as the agent's default rules tell them apart
GROUPS = [f"service{n}" for n in range(8)]
SERVICE = "import time\nkept = bytearray(8 << 20)\nwhile True:\n    sum(range(2000))\n    time.sleep(0.05)\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="length of a round, default 10")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--here", action="store_true", help="among the machine's other processes")
    options = parser.parse_args()
    if os.geteuid() == 0 and not options.here:
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return subprocess.call([*alone, sys.executable, __file__, *sys.argv[1:], "--here"])
    if lacks := missing():
        print(f"benchmarks/agent.py needs {', '.join(lacks)}: run sudo apt-get install {' '.join(lacks)}, then again.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sizeup-bench-") as folder, ExitStack() as stack:
        load(stack, Path(folder))
        rounds = [one_round(Path(folder) / str(n), options.minutes * 60) for n in range(options.rounds)]
    result = medians(rounds)
    print(table(result))
    print(json.dumps({"benchmark": "agent", "minutes": options.minutes, "rounds": options.rounds, "targets_met": met(result), **result}))
    return 0 if met(result) else 1


def missing() -> list[str]:
    """Return the Debian packages that aren't here; root installs them first."""
    wanted = {EXPORTER: shutil.which(EXPORTER), "sysstat": os.path.exists(SADC), "default-jdk-headless": shutil.which("javac")}
    lacks = [name for name, found in wanted.items() if not found]
    if lacks and os.geteuid() == 0:
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", *lacks], env=environ, stdout=sys.stderr, check=False)
        lacks = [name for name in lacks if name != "sysstat" and not shutil.which("javac" if "jdk" in name else name)]
    return lacks


def load(stack: ExitStack, folder: Path) -> None:
    """Start the host's load: two JVMs and eight services, with the agents ten groups and more."""
    (folder / "Heap.java").write_text(JVM)
    subprocess.run(["javac", "-d", str(folder), str(folder / "Heap.java")], check=True)
    for port in (8080, 8081):
        heap = [f"-Xms{HEAP_MB}m", f"-Xmx{HEAP_MB}m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"]
        words = ["java", *heap, "-cp", str(folder), "Heap", str(HEAP_MB // 4), f"--server.port={port}"]
        jvm = stack.enter_context(running(words, stdout=subprocess.PIPE))
        assert jvm.stdout is not None
        assert jvm.stdout.readline().strip() == b"ready"
    for name in GROUPS:
        shutil.copy(os.path.realpath("/usr/bin/python3"), folder / name)
        stack.enter_context(running([str(folder / name), "-S", "-c", SERVICE]))


def one_round(folder: Path, seconds: float) -> dict[str, dict[str, float]]:
    """Run every agent at once for so long; return what each cost."""
    folder.mkdir()
    agents = {
        "sizeup": ours(folder, "with"), "sizeup without PSS": ours(folder, "without", "--no-pss"),
        "node_exporter": exporter(), "sysstat (sadc)": [SADC, "1", str(folder / "sa")],
    }  # fmt: skip
    with ExitStack() as stack:
        pids = {name: stack.enter_context(running(words)).pid for name, words in agents.items()}
        stack.enter_context(scraping(agents["node_exporter"][1].rpartition(":")[2]))
        time.sleep(SETTLE_S)
        began_s, cpu_ns = time.monotonic(), {name: cpu(pid) for name, pid in pids.items()}
        written = sizes(folder)
        time.sleep(seconds)
        elapsed_s = time.monotonic() - began_s
        costs = {name: {**memory(pid), "cpu_percent": (cpu(pid) - cpu_ns[name]) / 1e7 / elapsed_s} for name, pid in pids.items()}
        for name, size in sizes(folder).items():
            costs[name]["disk_mb_per_h"] = (size - written[name]) / 1e6 * 3600 / elapsed_s
    print(f"round {folder.name}: {json.dumps(costs)}", file=sys.stderr)
    return costs


def ours(folder: Path, name: str, *options: str) -> list[str]:
    """Return the agent as it is installed: compiled, by the system's own Python; of which each has a copy, to share no page of it."""
    python = str(folder / f"python-{name}")
    shutil.copy(os.path.realpath("/usr/bin/python3"), python)
    compiled = folder / "agent.pyc"
    compile_it = "import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], doraise=True, optimize=2)"
    subprocess.run([python, "-I", "-S", "-E", "-c", compile_it, str(ROOT / "collectors/agent.py"), str(compiled)], check=True)
    return [python, "-I", "-S", "-E", str(compiled), "--spool", str(folder / name), *options]


def exporter() -> list[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [EXPORTER, f"--web.listen-address=127.0.0.1:{port}"]


@contextmanager
def running(words: list[str], stdout: int | None = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def scraping(port: str) -> Iterator[None]:
    """Read the exporter's metrics each second, as a Prometheus at that interval would."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(1.0):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(15)


def cpu(pid: int) -> int:
    """CPU in ns of all its threads."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def memory(pid: int) -> dict[str, float]:
    lines = dict(line.split(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {name: int(lines[field].split()[0]) * 1024 / 1e6 for name, field in (("pss_mb", "Pss"), ("rss_mb", "Rss"))}


def sizes(folder: Path) -> dict[str, int]:
    def held(path: Path) -> int:
        return sum(file.stat().st_size for file in path.glob("*.seg"))

    sadc = sum(file.stat().st_size for file in folder.glob("sa*") if file.is_file())
    return {"sizeup": held(folder / "with"), "sizeup without PSS": held(folder / "without"), "sysstat (sadc)": sadc}


def medians(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    middle: Callable[[str, str], float] = lambda name, field: round(statistics.median(r[name][field] for r in rounds), 3)  # noqa: E731
    return {name: {field: middle(name, field) for field in fields} for name, fields in rounds[0].items()}


def met(result: dict[str, dict[str, float]]) -> bool:
    mine = result["sizeup"]
    frugal = result["sizeup without PSS"]["cpu_percent"] <= CPU_WITHOUT_PSS_PERCENT
    return frugal and all(mine[name] <= most for name, most in TARGETS.items())


def table(result: dict[str, dict[str, float]]) -> str:
    """Return the medians as a Markdown table."""
    rows = [f"| {name} | {c['pss_mb']:.1f} | {c['rss_mb']:.1f} | {c['cpu_percent']:.3f} | {disk(c)} |" for name, c in result.items()]
    return "\n".join(["| agent | PSS, MB | RSS, MB | CPU, % of a core | disk, MB an hour |", "|---|---|---|---|---|", *rows])


def disk(costs: dict[str, float]) -> str:
    return f"{costs['disk_mb_per_h']:.2f}" if "disk_mb_per_h" in costs else "none"


if __name__ == "__main__":
    sys.exit(main())
