"""The notebook runs from its first cell to its last on the recorded sample, and is kept without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_it_runs(path: Path):
    """CONTRIBUTING.md: executed in tests."""
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()

    shown = "".join(output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "holds in" in shown
    assert "binds: " in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_it_is_kept_without_outputs_and_in_thin_cells(path: Path):
    """CONTRIBUTING.md: outputs stripped; a cell has one to six lines."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]

    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert max(len(_lines(cell.source)) for cell in cells) <= 6


def _lines(source: str) -> list[str]:
    """A cell's lines but its imports."""
    return [line for line in source.splitlines() if line.strip() and not line.startswith(("from ", "import "))]
