"""The two programs of the real stack, built once, and again where a source has changed; without the network where that will do."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence import SizeupError

HOME = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Project:
    """A folder of sources, how they are built, and what that makes; `quick` commands need no network once they have had it."""

    folder: Path
    sources: tuple[str, ...]
    made: str
    stamp: str
    quick: Sequence[Sequence[str]]
    whole: Sequence[Sequence[str]]


API = Project(
    HOME / "api", ("pom.xml", "src/**/*"), "target/moco-api.jar", "target/built.sha256",
    quick=(("mvn", "-o", "-q", "-B", "package"),), whole=(("mvn", "-q", "-B", "package"),),
)  # fmt: skip
FRONTEND = Project(
    HOME / "frontend", ("package.json", "package-lock.json", "next.config.mjs", "app/**/*", "lib/**/*", "public/assets/*"),
    ".next/BUILD_ID", ".next/built.sha256",
    quick=(("npm", "ci", "--offline"), ("npm", "run", "build")), whole=(("npm", "ci"), ("npm", "run", "build")),
)  # fmt: skip
JAR = API.folder / API.made
# No word to anybody about what is built here.
QUIET = {"NEXT_TELEMETRY_DISABLED": "1", "CI": "1"}


def build(project: Project, log: Path, say: Callable[[str], None]) -> None:
    """Build a project unless its sources are those that were built last.

    Raises
    ------
    SizeupError
        Where it fails; `log` says why.
    """
    digest = sources_digest(project)
    stamp = project.folder / project.stamp
    if (project.folder / project.made).exists() and stamp.exists() and stamp.read_text() == digest:
        return
    say(f"building moco's {project.folder.name}: once, and again when it changes")
    if not _run(project, project.quick, log) and not _run(project, project.whole, log):
        raise SizeupError(f"moco's {project.folder.name} doesn't build; {log} says why.")
    stamp.write_text(digest)


def sources_digest(project: Project) -> str:
    """Return the digest of a project's sources, by name and content."""
    digest = hashlib.sha256()
    for file in sorted(_files(project)):
        digest.update(f"{file.relative_to(project.folder)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _files(project: Project) -> Iterator[Path]:
    for pattern in project.sources:
        yield from (path for path in project.folder.glob(pattern) if path.is_file())


def _run(project: Project, commands: Sequence[Sequence[str]], log: Path) -> bool:
    environ = {**os.environ, **QUIET}
    with log.open("ab") as out:
        for command in commands:
            done = subprocess.run(command, cwd=project.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environ)
            if done.returncode:
                return False
    return True
