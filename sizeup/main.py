"""The entry point: run one command, and turn whatever goes wrong into one sentence and an exit code.

0 done, 1 the verdict is no, 2 the question was wrong, 3 we broke, 130 interrupted; a traceback never reaches the user.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from evidence import SizeupError
from sizeup.cli import LazyGroup, common_options
from sizeup.output import leave_stdout

WRONG_QUESTION, BROKEN, INTERRUPTED = 2, 3, 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""A disk that takes no more: nothing that we could mend."""

EXAMPLE = """\b
Example:
  sizeup gate --buy t3.small:1:1y:all-upfront"""

group = LazyGroup(
    name="sizeup",
    help="Load a web stack on AWS, measure its hosts, name the instance type to run, and say whether to reserve it.",
    params=list(common_options()),
    epilog=EXAMPLE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the reference's code."""
    sys.exit(run(sys.argv[1:] if args is None else list(args)))


def run(args: list[str]) -> int:
    """Run one command; return its exit code."""
    try:
        code = _invoke(args)
        sys.stdout.flush()
    except SizeupError as wrong:
        return _complain(str(wrong), WRONG_QUESTION)
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.message, err=True)
        return WRONG_QUESTION
    except click.UsageError as wrong:
        return _complain(usage_sentence(wrong), WRONG_QUESTION)
    except click.ClickException as wrong:
        return _complain(wrong.format_message(), WRONG_QUESTION)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted.", INTERRUPTED)
    except BrokenPipeError:
        leave_stdout()
        return 0
    except Exception as bug:  # noqa: BLE001  # the border: the user gets a sentence, the trace lies in a file
        if isinstance(bug, OSError) and bug.errno in FULL:
            where = bug.filename or "the disk"
            return _complain(f"{where}: can't be written ({bug.strerror}); free some space, then run it again.", WRONG_QUESTION)
        return _complain(f"an internal error ({type(bug).__name__}), not your mistake; its trace is in {save_trace(bug)}.", BROKEN)
    return code


def _invoke(args: list[str]) -> int:
    try:
        with group.make_context("sizeup", args) as ctx:
            result = group.invoke(ctx)
    except click.exceptions.Exit as left:
        return left.exit_code
    return result if isinstance(result, int) else 0


def usage_sentence(wrong: click.UsageError) -> str:
    """Turn click's complaint into one sentence that ends in the mend."""
    command = wrong.ctx.command_path if wrong.ctx else "sizeup"
    near = _nearest(wrong)
    mend = f"did you mean {near}?" if near else f"see {command} --help."
    said = wrong.format_message() if isinstance(wrong, click.BadParameter) else wrong.message
    message = " ".join(said.split()).rstrip(".")
    where = command.removeprefix("sizeup").strip()
    return f"{where}{': ' if where else ''}{message[:1].lower()}{message[1:]}; {mend}"


def _nearest(wrong: click.UsageError) -> str | None:
    import difflib

    if isinstance(wrong, click.NoSuchOption):
        return wrong.possibilities[0] if wrong.possibilities else None
    if isinstance(wrong, click.exceptions.NoSuchCommand) and wrong.ctx and isinstance(wrong.ctx.command, click.Group):
        near = difflib.get_close_matches(wrong.command_name, wrong.ctx.command.list_commands(wrong.ctx), 1, 0.5)
        return f"{wrong.ctx.command_path} {near[0]}" if near else None
    return None


def save_trace(bug: BaseException) -> Path:
    """Write a trace to a file of its own in the user's cache folder (else the temporary one); return its path."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(bug))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sizeup"
    for folder in (cache, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="sizeup-trace-", suffix=".txt", dir=folder)
        except OSError:
            continue
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(name)
    return Path(os.devnull)


def _complain(sentence: str, code: int) -> int:
    click.echo(f"sizeup: {sentence}", err=True)
    return code

