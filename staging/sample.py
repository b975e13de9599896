"""The boards and comments that stand in a stack's database when it starts: the same ones for the same seed, whatever the stack."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

BOARDS = 400
_WORDS = """
latency credit burst memory heap index cache token queue deploy rollback region zone budget invoice replica socket thread gateway
listener target health probe release staging review ticket sprint backlog incident alarm metric trace sample
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """`boards` are (title, content), the first one's id is 1; `comments` are (board id, content)."""

    boards: Sequence[tuple[str, str]]
    comments: Sequence[tuple[int, str]]


def sample_data(seed: int) -> Sample:
    """Draw the boards and comments of a seed."""
    words, draw = _WORDS.split(), random.Random(seed)  # noqa: S311 - sample text, no secret

    def text(count: int) -> str:
        return " ".join(draw.choices(words, k=count))

    boards = [(text(4), text(60)) for _ in range(BOARDS)]
    return Sample(boards, [(1 + n % BOARDS, text(12)) for n in range(BOARDS * 3)])
