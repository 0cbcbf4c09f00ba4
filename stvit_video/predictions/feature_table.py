"""Features of videos: a vector each, as .npz, Parquet, JSON lines or CSV, in the order of the list.

A video that could not be read has NaN in .npz, empty fields in a CSV and null elsewhere, so that row n of the
features and row n of the labels are of the same video.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.predictions.label_table import Row, in_groups, pyarrow_modules, video_values
from stvit_video.utils.csv_text import csv_line

FEATURE_ENDINGS = (".npz", ".parquet", ".jsonl", ".csv")


def write_features(
    path: Path, rows: Callable[[], Iterable[Row]], *, num_videos: int, ending: str, has_segments: bool = False
) -> None:
    """Write the features of all videos to a new file.

    Args:
        path: the file.
        rows: gives the videos with their predictions, each time from the first on.
        num_videos: how many there are.
        ending: of the file that it will be, one of FEATURE_ENDINGS.
        has_segments: whether the begin and end of each video are told.

    Raises:
        OSError: the file can't be written.
    """
    size = next((len(one.features) for _, one in rows() if one.features is not None), 0)
    if ending == ".npz":
        _write_npz(path, rows(), num_videos=num_videos, size=size, has_segments=has_segments)
    elif ending == ".parquet":
        _write_parquet(path, rows(), size=size, has_segments=has_segments)
    else:
        _write_text(path, rows(), size=size, is_csv=ending == ".csv", has_segments=has_segments)


def _write_npz(path: Path, rows: Iterable[Row], *, num_videos: int, size: int, has_segments: bool) -> None:
    features = np.full((num_videos, size), np.nan, dtype=np.float32)  # (N, D)
    named = []
    for number, (video, prediction) in enumerate(rows):
        named.append(video_values(video, has_segments))
        if prediction.features is not None:
            features[number] = prediction.features
    paths, *seconds = zip(*named, strict=True) if named else ((),)
    columns: dict[str, Any] = {"paths": np.array(paths, dtype=np.str_), "features": features}
    for name, values in zip(("start_seconds", "end_seconds"), seconds, strict=False):
        columns[name] = np.array(values, dtype=float)  # None = NaN
    with path.open("wb") as file:
        np.savez(file, **columns)


def _write_parquet(path: Path, rows: Iterable[Row], *, size: int, has_segments: bool) -> None:
    pa, parquet = pyarrow_modules()
    segment = [("start_seconds", pa.float64()), ("end_seconds", pa.float64())] if has_segments else []
    schema = pa.schema([("path", pa.string()), *segment, ("features", pa.list_(pa.float32(), size))])
    with parquet.ParquetWriter(str(path), schema, compression="zstd") as writer:
        for group in in_groups(rows):
            named = zip(*(video_values(video, has_segments) for video, _ in group), strict=True)
            features = [one.features for _, one in group]
            writer.write_table(pa.table([*map(list, named), features], schema=schema))


def _write_text(path: Path, rows: Iterable[Row], *, size: int, is_csv: bool, has_segments: bool) -> None:
    names = ["path", *(["start_seconds", "end_seconds"] if has_segments else [])]
    with path.open("w", encoding="utf-8", newline="") as file:
        if is_csv:
            file.write(csv_line([*names, *(f"feature_{n}" for n in range(size))]))
        for video, prediction in rows:
            values = video_values(video, has_segments)
            features = None if prediction.features is None else [float(f"{x:.9g}") for x in prediction.features]
            if is_csv:
                file.write(csv_line([*values, *([""] * size if features is None else features)]))
            else:
                line = dict(zip([*names, "features"], [*values, features], strict=True))
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
