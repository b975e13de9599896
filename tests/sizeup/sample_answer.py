"""The answer for the small sample run, as its JSON document: what the words, the report and the schemas are tested on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sample_run import write_sample_run

from evidence import Run, open_run
from sizeup.answer import recommend_paths
from sizeup.context import Context
from sizeup.output import dump
from sizing import Question

CANDIDATES = ("t3.nano", "t2.micro", "t3.micro", "t3.small", "t4g.micro")


@cache
def sample() -> tuple[Run, str]:
    """Answer once a process; the document as text, so that no test changes another's."""
    path = write_sample_run(Path(mkdtemp()))
    answered = recommend_paths(Context(), [path], Question(candidates=CANDIDATES, peak_per_s=(20.0, 20.0, 20.0)))
    return open_run(path), dump(answered.document)


def sample_document() -> dict[str, Any]:
    """A fresh copy of the document."""
    return dict(json.loads(sample()[1]))
