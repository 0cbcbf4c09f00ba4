"""Tables of labels: a row a video, as CSV, JSON lines or Parquet.

| column | holds |
|---|---|
| `path` | the video as it was named |
| `start_seconds`, `end_seconds` | the segment; there are no such columns where no video has one |
| `label`, `probability`, `label_2`, `probability_2`, ... | the likeliest labels |
| `labels`, `probabilities` | in their place with a threshold, and always in JSON lines: all of them |
| `seconds` | how long the video lasts |
| `error` | why there is no label |
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.utils.csv_text import csv_line
from stvit_video.utils.optional import load_optional

LABEL_ENDINGS = (".csv", ".jsonl", ".parquet")
ROWS_PER_GROUP = 4096  # of a Parquet file; bounds the memory that writing takes
Row = tuple[ListedVideo, Prediction]


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """How a prediction becomes a row.

    Attributes:
        num_labels: labels of a video; None = as many as reach a threshold, so they are a list.
        separator: between the labels of a list in a CSV.
        has_segments: whether the begin and end of each video are told.
    """

    num_labels: int | None
    separator: str = "|"
    has_segments: bool = False

    @property
    def names(self) -> list[str]:
        """The columns of CSV and Parquet, in order."""
        pairs = [("labels", "probabilities")]
        if self.num_labels is not None:
            ends = ["", *(f"_{rank}" for rank in range(2, self.num_labels + 1))]
            pairs = [(f"label{end}", f"probability{end}") for end in ends]
        segment = ["start_seconds", "end_seconds"] if self.has_segments else []
        return ["path", *segment, *(name for pair in pairs for name in pair), "seconds", "error"]

    def header(self, ending: str) -> str:
        """What a text file begins with."""
        return csv_line(self.names) if ending == ".csv" else ""

    def line(self, ending: str, video: ListedVideo, prediction: Prediction) -> str:
        """The row as text; an error may make more than one line of a CSV."""
        if ending == ".csv":
            values = zip(self.names, self.values(video, prediction), strict=True)
            return csv_line([self._csv_field(name, value) for name, value in values])
        return json.dumps(self._json_values(video, prediction), ensure_ascii=False) + "\n"

    def values(self, video: ListedVideo, prediction: Prediction) -> list[Any]:
        """A value for each of `names`, None where there is none; text can be written as UTF-8."""
        labels, probabilities = list(map(plain_text, prediction.labels)), list(prediction.probabilities)
        if self.num_labels is None:
            told: list[Any] = [None, None] if prediction.error is not None else [labels, probabilities]
        else:
            rest = [None] * max(self.num_labels - len(labels), 0)
            pairs = zip([*labels, *rest], [*probabilities, *rest], strict=True)
            told = [value for pair in list(pairs)[: self.num_labels] for value in pair]
        seconds = None if math.isnan(prediction.seconds) else round(prediction.seconds, 3)
        return [*video_values(video, self.has_segments), *told, seconds, _error_text(prediction)]

    def _json_values(self, video: ListedVideo, prediction: Prediction) -> dict[str, Any]:
        table = LabelTable(num_labels=None, has_segments=self.has_segments)
        values = dict(zip(table.names, table.values(video, prediction), strict=True))
        if values["probabilities"] is not None:
            values["probabilities"] = [_rounded(value) for value in values["probabilities"]]
        return values

    def _csv_field(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return self.separator.join(self._csv_field(name, one) for one in value)
        if isinstance(value, float) and name.startswith("probabilit"):
            return f"{value:.6g}"
        return "" if value is None else str(value)

    def write(self, path: Path, rows: Iterable[Row], *, ending: str) -> None:
        """Write all rows to a new file.

        Raises:
            OSError: it can't be written.
        """
        if ending == ".parquet":
            self._write_parquet(path, rows)
            return
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(self.header(ending))
            for video, prediction in rows:
                file.write(self.line(ending, video, prediction))

    def _write_parquet(self, path: Path, rows: Iterable[Row]) -> None:
        pa, parquet = pyarrow_modules()
        schema = pa.schema([(name, self._parquet_type(name, pa)) for name in self.names])
        with parquet.ParquetWriter(str(path), schema, compression="zstd") as writer:
            for group in in_groups(rows):
                columns = zip(*(self.values(*row) for row in group), strict=True)
                writer.write_table(pa.table(list(map(list, columns)), schema=schema))

    def _parquet_type(self, name: str, pa: ModuleType) -> Any:
        kinds = {"labels": pa.list_(pa.string()), "probabilities": pa.list_(pa.float32())}
        kinds |= dict.fromkeys(("start_seconds", "end_seconds", "seconds"), pa.float64())
        return kinds.get(name, pa.float32() if name.startswith("probability") else pa.string())


def video_values(video: ListedVideo, has_segments: bool) -> list[Any]:
    """The values that say which video a row is of."""
    return [plain_text(video.name), *([video.start_seconds, video.end_seconds] if has_segments else [])]


def plain_text(text: str) -> str:
    """A text that can be written as UTF-8: bytes of a file name that are none become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def in_groups(rows: Iterable[Row]) -> Iterable[list[Row]]:
    """Rows in groups of ROWS_PER_GROUP, one empty group left out."""
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == ROWS_PER_GROUP:
            yield group
            group = []
    if group:
        yield group


def pyarrow_modules() -> tuple[ModuleType, ModuleType]:
    """pyarrow and pyarrow.parquet, which take a tenth of a second to load.

    Raises:
        MissingLibraryError: pyarrow is not installed.
    """
    wish, install = "a .parquet file", "pip install pyarrow"
    return (
        load_optional("pyarrow", needed_for=wish, install=install),
        load_optional("pyarrow.parquet", needed_for=wish, install=install),
    )


def _error_text(prediction: Prediction) -> str | None:
    return None if prediction.error is None else plain_text(prediction.error)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
