"""Tables of a measurement: for a page, and as a file that tells where the numbers come from."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from stvit_video.utils.atomic_files import write_table
from stvit_video.utils.provenance import provenance

__all__ = ["markdown_table", "write_measured_table"]


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a Markdown table whose columns are flush right."""
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return "\n".join([lines[0], f"|{'--:|' * len(heads)}", *lines[1:]])


def write_measured_table(
    path: Path,
    *,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    of_all: Mapping[str, Any],
    device: torch.device = torch.device("cpu"),  # noqa: B008 - it is never changed
) -> None:
    """Write rows as a CSV file, each with what they have in common, the commit and the machine.

    Args:
        path: the CSV; see `write_table`.
        header: column names.
        rows: one value a column.
        of_all: values of further columns, the same in every row.
        device: that was measured on.

    Raises:
        ValueError: a row has not one value a column.
        OSError: the file can't be written.
    """
    common = {**of_all, **{key: str(value) for key, value in provenance(device).items()}}
    write_table(path, header=[*header, *common], rows=[[*row, *common.values()] for row in rows])
