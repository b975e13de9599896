"""What makes the API a light or a heavy service: CPU time that a request really burns, memory that the process really holds."""

from __future__ import annotations

import hashlib
import mmap
import os
import time

# A hash of more than 2,047 bytes lets go of the interpreter's lock; 16 KiB take some 10 µs, so that other threads and
# the event loop never wait longer for it, and the burn ends that near to its mark.
_CHUNK = os.urandom(16 * 1024)
_BLOCK_BYTES = 2**20


def burn(cpu_s: float) -> None:
    """Use that much CPU time of this thread, whatever else the machine does."""
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        hashlib.sha256(_CHUNK)


def hold(size_bytes: int) -> mmap.mmap | None:
    """Return that much private, resident memory; keep it alive. None for 0 bytes.

    Every page is filled, none equals another or zero, so that nothing can share or compress them: one random block is
    laid down again and again, each time turned by 61 bytes more.
    """
    if size_bytes <= 0:
        return None
    held = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    block = os.urandom(_BLOCK_BYTES)
    for n, at in enumerate(range(0, size_bytes, _BLOCK_BYTES)):
        turn = n * 61 % _BLOCK_BYTES
        held[at : at + _BLOCK_BYTES] = (block[turn:] + block[:turn])[: size_bytes - at]
    return held
