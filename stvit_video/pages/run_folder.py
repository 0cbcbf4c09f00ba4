"""What the folder of a training or evaluation holds, as the page of the run shows it."""

import csv
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stvit_video.data.manifests.picture_endings import is_picture_file

__all__ = ["RunFiles", "read_run_files"]

CONFIG, RESULT, METRICS, PREDICTIONS, PER_CLASS = (
    *("config.yaml", "result.json", "metrics.csv", "predictions.csv", "per_class.csv"),
)


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """Files of a run; what is not there is empty.

    Attributes:
        folder: of the run.
        result: what result.json holds.
        config: the text of config.yaml.
        metrics: metrics.csv; None = there is none.
        predictions: the rows of predictions.csv, one for each listed video.
        per_class: the rows of per_class.csv, or what result.json has of each class.
        pictures: names of the PNG files, in the order in which they were named.
    """

    folder: Path
    result: Mapping[str, Any]
    config: str = ""
    metrics: Path | None = None
    predictions: tuple[Mapping[str, str], ...] = ()
    per_class: tuple[Mapping[str, str], ...] = ()
    pictures: tuple[str, ...] = ()

    @property
    def is_training(self) -> bool:
        """Whether the folder is that of a training; else a checkpoint was evaluated into it."""
        return "training" in self.result

    @property
    def has_several_labels(self) -> bool:
        """Whether predictions.csv has several labels a video."""
        return bool(self.predictions) and "labels" in self.predictions[0]

    @property
    def unit(self) -> str:
        """What was evaluated: "pictures", also where a classifier got them as videos of one frame, or "videos"."""
        if "num_pictures_used" in self.result:
            return "pictures"
        is_of_frames = self.result.get("preprocessing", {}).get("num_frames") == 1
        names = [row["video"] for row in self.predictions]
        return "pictures" if is_of_frames and names and all(map(is_picture_file, names)) else "videos"


def read_run_files(folder: Path, *, written: Collection[str]) -> RunFiles:
    """Read them.

    Args:
        folder: of the run; result.json must be there.
        written: names of the files of this evaluation. Others of their kind are left alone, as they may be those of
            an earlier one; config.yaml and metrics.csv are the training's.

    Raises:
        OSError: a file can't be read.
        ValueError: result.json is no JSON.
    """
    config, metrics = folder / CONFIG, folder / METRICS
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    return RunFiles(
        folder=folder,
        result=result,
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
        metrics=metrics if metrics.is_file() else None,
        predictions=_rows(folder / PREDICTIONS) if PREDICTIONS in written else (),
        per_class=_rows(folder / PER_CLASS) if PER_CLASS in written else _rows_of(result.get("per_class", {})),
        pictures=tuple(name for name in written if name.endswith(".png") and (folder / name).is_file()),
    )


def _rows_of(per_class: Mapping[str, Mapping[str, float | None]]) -> tuple[Mapping[str, str], ...]:
    """The same of values by the names of the classes."""
    return tuple(
        {"class": name, **{key: _text(value) for key, value in one.items()}} for name, one in per_class.items()
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)


def _rows(path: Path) -> tuple[Mapping[str, str], ...]:
    if not path.is_file():
        return ()
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
