"""Features: the same numbers in every format, in the order of the list."""

import csv
import json

import numpy as np
import pyarrow.parquet
import pytest
from made_predictions import prediction_of, videos_of

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.feature_table import FEATURE_ENDINGS, write_features
from stvit_video.predictions.listed_video import ListedVideo

VIDEOS = videos_of("broken.mp4", "a, b.mp4", "caf\u00e9.mp4")
ROWS = [(video, prediction_of(video.path)) for video in VIDEOS]
WANTED = np.array([prediction_of(video.path).features for video in VIDEOS[1:]])


def written(tmp_path, ending, rows=ROWS, **settings):
    path = tmp_path / f"features{ending}"
    write_features(path, lambda: iter(rows), num_videos=len(rows), ending=ending, **settings)
    return path


def read(path):
    """(paths, features with NaN for what is missing, columns)"""
    if path.suffix == ".npz":
        with np.load(path) as found:  # without pickle
            return list(found["paths"]), found["features"], list(found)
    if path.suffix == ".csv":
        header, *rows = csv.reader(path.open(newline="", encoding="utf-8"))
        start = header.index("feature_0")
        values = [[float(text or "nan") for text in row[start:]] for row in rows]
        return [row[0] for row in rows], np.array(values, np.float32), header
    rows = pyarrow.parquet.read_table(path).to_pylist() if path.suffix == ".parquet" else None
    rows = rows or [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    values = [row["features"] or [np.nan, np.nan] for row in rows]
    return [row["path"] for row in rows], np.array(values, np.float32), list(rows[0])


@pytest.mark.parametrize("ending", FEATURE_ENDINGS)
def test_all_formats_hold_the_same(tmp_path, ending):
    paths, features, _ = read(written(tmp_path, ending))
    assert paths == [video.name for video in VIDEOS]
    assert features.dtype == np.float32
    assert np.isnan(features[0]).all()
    np.testing.assert_array_equal(features[1:], WANTED)


@pytest.mark.parametrize("ending", FEATURE_ENDINGS)
def test_segments_are_told(tmp_path, ending):
    features = np.array([1, 2], np.float32)
    rows = [(ListedVideo("a", "/a", 1.5, None), Prediction(features=features))]
    path = written(tmp_path, ending, rows, has_segments=True)
    paths, found, columns = read(path)
    assert (paths, found.tolist()) == (["a"], [[1, 2]])
    assert {"start_seconds", "end_seconds"} <= set(columns)
    if ending == ".npz":
        with np.load(path) as npz:
            assert npz["start_seconds"][0] == 1.5
            assert np.isnan(npz["end_seconds"][0])


@pytest.mark.parametrize("ending", FEATURE_ENDINGS)
@pytest.mark.parametrize("rows", [[], ROWS[:1]])
def test_no_features_at_all(tmp_path, ending, rows):
    path = written(tmp_path, ending, rows)
    if ending == ".npz":
        with np.load(path) as found:
            assert found["features"].shape == (len(rows), 0)
            assert found["paths"].shape == (len(rows),)
    elif ending == ".parquet":
        assert pyarrow.parquet.read_table(path)["features"].null_count == len(rows)
    else:
        assert len(path.read_text().splitlines()) == len(rows) + (ending == ".csv")


def test_the_parquet_type_says_the_width(tmp_path):
    table = pyarrow.parquet.read_table(written(tmp_path, ".parquet"))
    assert str(table.schema.field("features").type) == "fixed_size_list<element: float>[2]"
