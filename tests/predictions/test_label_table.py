"""Tables of labels: as the libraries that people use read them."""

import csv
import io
import json
import os

import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest
from made_predictions import LABELS, prediction_of, videos_of

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions import label_table
from stvit_video.predictions.label_table import LABEL_ENDINGS, LabelTable, in_groups, plain_text
from stvit_video.predictions.listed_video import ListedVideo

LONG = "x" * 200_000  # longer than the fields that Python's csv takes by default
VIDEOS = (*videos_of("a, b.mp4", "broken.mp4", 'q"uote\n.mp4', LONG), ListedVideo(os.fsdecode(b"odd\xff.mp4"), "/x"))
ROWS = [(video, prediction_of(video.path)) for video in VIDEOS]
TWO = LabelTable(num_labels=2)


def written(table, ending, tmp_path, rows=ROWS):
    path = tmp_path / f"labels{ending}"
    table.write(path, iter(rows), ending=ending)
    return path


def test_the_columns():
    assert TWO.names == ["path", "label", "probability", "label_2", "probability_2", "seconds", "error"]
    assert LabelTable(num_labels=None).names == ["path", "labels", "probabilities", "seconds", "error"]
    assert LabelTable(num_labels=1, has_segments=True).names[:3] == ["path", "start_seconds", "end_seconds"]


def test_a_csv_as_the_csv_module_reads_it(tmp_path):
    path = written(TWO, ".csv", tmp_path)
    assert path.read_bytes().startswith(b"path,label,probability,label_2,probability_2,seconds,error\n")
    csv.field_size_limit(10**6)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))[1:]
    csv.field_size_limit(131072)
    weight = sum(b"a, b.mp4") % 7 / 7
    assert rows[0] == ["a, b.mp4", "run", f"{0.5 + weight / 3:.6g}", LABELS[1], "0.25", "2.5", ""]
    assert rows[1] == ["broken.mp4", "", "", "", "", "", "can't decode 'broken.mp4',\nit is no video"]
    assert [row[0] for row in rows[2:]] == ['q"uote\n.mp4', LONG, "odd\\udcff.mp4"]


def test_a_csv_as_pyarrow_reads_it(tmp_path):
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(written(LabelTable(num_labels=3), ".csv", tmp_path), parse_options=options)
    assert table.column_names == LabelTable(num_labels=3).names
    assert table["label_3"].to_pylist() == [LABELS[2], "", LABELS[2], LABELS[2], LABELS[2]]
    assert str(table["probability"].type) == str(table["seconds"].type) == "double"
    assert table["probability_3"].to_pylist() == [1e-7, None, 1e-7, 1e-7, 1e-7]


def test_json_lines_have_lists(tmp_path):
    path = written(TWO, ".jsonl", tmp_path)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    assert list(rows[0]) == ["path", "labels", "probabilities", "seconds", "error"]
    assert (rows[0]["labels"], rows[0]["error"], rows[0]["seconds"]) == (list(LABELS), None, 2.5)
    assert (rows[1]["labels"], rows[1]["seconds"]) == (None, None)
    assert "caf\u00e9" in path.read_text(encoding="utf-8")
    table = pyarrow.json.read_json(path, pyarrow.json.ReadOptions(block_size=10**7))
    assert table["path"].to_pylist()[2:] == ['q"uote\n.mp4', LONG, "odd\\udcff.mp4"]


def test_parquet_has_types(tmp_path, monkeypatch):
    monkeypatch.setattr(label_table, "ROWS_PER_GROUP", 2)
    table = pyarrow.parquet.read_table(written(TWO, ".parquet", tmp_path))
    assert [str(field.type) for field in table.schema] == [
        *("string", "string", "float", "string", "float", "double", "string"),
    ]
    assert table["path"].to_pylist() == [plain_text(video.name) for video in VIDEOS]
    assert table["label"].to_pylist() == ["run", None, "run", "run", "run"]
    assert table["error"].null_count == 4


@pytest.mark.parametrize("ending", LABEL_ENDINGS)
def test_labels_of_a_threshold_are_a_list(tmp_path, ending):
    table = LabelTable(num_labels=None, separator=";")
    none = (ListedVideo("none.mp4", "/none"), Prediction())
    some = (ListedVideo("some.mp4", "/some"), Prediction(labels=("a", "b c"), probabilities=(0.75, 0.5)))
    path = written(table, ending, tmp_path, [none, some, ROWS[1]])
    if ending == ".csv":
        rows = list(csv.DictReader(path.open(newline="")))
        assert [row["labels"] for row in rows] == ["", "a;b c", ""]
        assert [row["probabilities"] for row in rows] == ["", "0.75;0.5", ""]
        assert [bool(row["error"]) for row in rows] == [False, False, True]
        return
    rows = pyarrow.parquet.read_table(path).to_pylist() if ending == ".parquet" else map(json.loads, path.open())
    assert [(row["labels"], row["probabilities"]) for row in rows] == [
        ([], []),
        (["a", "b c"], [0.75, 0.5]),
        (None, None),
    ]


@pytest.mark.parametrize("ending", LABEL_ENDINGS)
def test_segments_are_told(tmp_path, ending):
    rows = [(ListedVideo("a", "/a", *span), Prediction(seconds=1.23456)) for span in ((1.5, None), (None, None))]
    path = written(LabelTable(num_labels=1, has_segments=True), ending, tmp_path, rows)
    if ending == ".csv":
        assert path.read_text().splitlines()[1:] == ["a,1.5,,,,1.235,", "a,,,,,1.235,"]
        return
    found = pyarrow.parquet.read_table(path).to_pylist() if ending == ".parquet" else map(json.loads, path.open())
    assert [(row["start_seconds"], row["end_seconds"], row["seconds"]) for row in found] == [
        (1.5, None, 1.235),
        (None, None, 1.235),
    ]


def test_fewer_labels_than_columns_leave_fields_empty():
    video = videos_of("a")[0]
    line = LabelTable(num_labels=3).line(".csv", video, Prediction(labels=("x",), probabilities=(1.0,)))
    assert line == "a,x,1,,,,,,\n"


def test_a_table_without_rows_has_its_columns(tmp_path):
    assert pyarrow.parquet.read_table(written(TWO, ".parquet", tmp_path, [])).column_names == TWO.names


def test_groups():
    rows = [ROWS[0]] * (2 * label_table.ROWS_PER_GROUP + 1)
    assert [len(group) for group in in_groups(rows)] == [label_table.ROWS_PER_GROUP] * 2 + [1]
