"""The exported graphs of a run: each is written once, by a process of its own, and serves every turn of its rows.

So the process that is timed has neither the model nor the memory of its export, and may be ended between turns.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_process import RowError, Start


@dataclass(kw_only=True)
class GraphFiles:
    """Exported graphs, by row, format and precision of their weights.

    Args:
        folder: for the files; it exists.
        start: starts a process.
        threads: that it may use.
    """

    folder: Path
    start: Start
    threads: int
    _written: dict[tuple[str, str, bool], Path | RowError] = field(default_factory=dict, init=False)

    def folder_of(self, row: ModelRow, *, input_size: tuple[int, ...], backend: str, precision: str) -> Path:
        """The folder with the graph of a row, which is written when it is first asked for.

        Args:
            row: which model.
            input_size: (T, H, W) or (H, W).
            backend: one of GRAPH_BACKENDS.
            precision: one of that; fp32 and bf16 share a graph, as bf16 is a hint for the runtime.

        Raises:
            RowError: it can't be exported, for the same reason each time.
        """
        key = (row.label, backend, precision == "int8")
        if key not in self._written:
            asked = {"input_size": input_size, "backend": backend, "precision": precision}
            self._written[key] = self._write({"do": "export", "row": row.to_message(), **asked})
        found = self._written[key]
        if isinstance(found, RowError):
            raise RowError(found.kind, str(found))
        return found

    def _write(self, request: dict[str, Any]) -> Path | RowError:
        folder = self.folder / str(len(self._written))
        folder.mkdir()
        process = self.start(self.threads)
        try:
            process.ask({**request, "folder": str(folder)})
        except RowError as error:
            return error
        finally:
            process.end()
        return folder
