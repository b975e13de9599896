"""A child that ends when its parent does, even at a kill -9 of the parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT_VARIABLE = "SIZEUP_PARENT"
"""The environment variable by which a launcher names itself; without it a process lives on its own."""
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this process when the parent that started it ends (prctl(2), Linux); do nothing elsewhere.

    The kernel means the parent's *thread* that started us: launch from one that lives as long as the load.
    A process forked from the launched one is bound to that one in turn.
    """
    launcher = os.environ.get(PARENT_VARIABLE)
    if launcher is None or not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the call above: then we already belong to somebody else.
    if os.getppid() != parent or (parent == 1 and launcher != "1"):
        os._exit(1)
