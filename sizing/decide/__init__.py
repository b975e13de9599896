"""From worlds to an answer: candidates, their verdicts, the choice, and what would change it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """The room bears its function's name: once any part of it is imported, `from sizing import decide` finds the room."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        from sizing.decide.decide import decide

        return decide(*args, **named)


sys.modules[__name__].__class__ = _Room
