import csv

import torch

from stvit_video.evaluation.class_table import write_class_table
from stvit_video.evaluation.metrics import classification_metrics, multi_label_metrics

CLASSES = ("a, comma", "never", "run")


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [list(row.values()) for row in csv.DictReader(file)]


def test_classes_of_one_label(tmp_path):
    labels = torch.tensor([0, 0, 0, 2])
    said = torch.tensor([0, 0, 2, 2])
    metrics = classification_metrics(torch.nn.functional.one_hot(said, 3).float(), labels, num_classes=3)
    write_class_table(tmp_path / "t.csv", metrics, labels=labels, classes=CLASSES)
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == "class,label,accuracy,videos,predicted"
    assert rows_of(tmp_path / "t.csv") == [
        ["a, comma", "0", "0.666667", "3", "2"],
        ["never", "1", "", "0", "0"],
        ["run", "2", "1.000000", "1", "2"],
    ]


def test_classes_of_several_labels(tmp_path):
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.3, 0.6], [0.1, 0.2, 0.7]])
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    metrics = multi_label_metrics(scores, labels.bool())
    write_class_table(tmp_path / "t.csv", metrics, labels=labels, classes=CLASSES)
    # videos of class 0 are at ranks 1 and 3, the one of class 2 at rank 3
    assert rows_of(tmp_path / "t.csv") == [
        ["a, comma", "0", "0.833333", "2"],
        ["never", "1", "", "0"],
        ["run", "2", "0.333333", "1"],
    ]
