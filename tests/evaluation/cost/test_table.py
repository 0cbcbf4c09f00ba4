import csv
import io

import pytest

from stvit_video.evaluation.cost.published import Published
from stvit_video.evaluation.cost.table import Cost, format_costs

COSTS = [
    Cost(
        name="a_s",
        input_size=(5, 7),
        num_parameters=3_204_999,
        gmacs=0.55306,
        tokens=(49, 16),
        published=Published(parameters_millions=3.2, gmacs=0.554, note="published with a hat"),
    ),
    Cost(name="stvit_a_s", input_size=(5, 7), num_parameters=12_345, gmacs=0.25, tokens=(4,), dense_gmacs=0.5),
    Cost(name="stvit_video_a_s", input_size=(3, 5, 7), num_parameters=0, gmacs=110.0, tokens=(6,), dense_gmacs=100.0),
]
VIDEO = Cost(name="v", input_size=(5, 7), num_parameters=0, gmacs=1.0, tokens=(1,), published=Published(gmacs=2.0))


def test_markdown_by_hand():
    assert format_costs(COSTS).splitlines() == [
        "| model           | input | params M | published |   GMACs | published | tokens per stage | to dense |",
        "| --------------- | ----- | -------: | --------: | ------: | --------: | ---------------- | -------: |",
        "| a_s             | 5x7   |     3.20 |       3.2 |   0.553 |     0.554 | 49 / 16          |          |",
        "| stvit_a_s       | 5x7   |     0.01 |           |   0.250 |           | 4                |    -50 % |",
        "| stvit_video_a_s | 3x5x7 |     0.00 |           | 110.000 |           | 6                |    +10 % |",
        "",
        "a_s: published with a hat.",
    ]


def test_csv_reads_back():
    rows = list(csv.DictReader(io.StringIO(format_costs(COSTS, table_format="csv"))))
    assert len(rows) == 3
    assert rows[0] == {
        "model": "a_s",
        "input": "5x7",
        "parameters_millions": "3.20",
        "published_parameters_millions": "3.2",
        "gmacs": "0.553",
        "published_gmacs": "0.554",
        "tokens_per_stage": "49 / 16",
        "relative_to_dense": "",
    }
    assert rows[1]["relative_to_dense"] == "-50 %"


def test_no_notes_without_published_figures():
    assert format_costs(COSTS[1:]).count("\n") == 3


def test_published_costs_without_parameters():
    row = next(csv.DictReader(io.StringIO(format_costs([VIDEO], table_format="csv"))))
    assert (row["published_parameters_millions"], row["published_gmacs"]) == ("", "2")


def test_unknown_format():
    with pytest.raises(ValueError, match="'html' .*markdown, csv"):
        format_costs(COSTS, table_format="html")
