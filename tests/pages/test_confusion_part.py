import re

import pytest
import torch

from stvit_video.pages.confusion_part import MAX_CLASSES_AS_TABLE, NUM_PAIRS, Confusion, confusion_part
from stvit_video.pages.render import isolated

MATRIX = torch.tensor([[3, 1, 0], [0, 0, 0], [2, 0, 200]])
NAMES = ("run", "</td>", "jump, high")


def test_few_classes_have_their_counts():
    part = confusion_part(Confusion(matrix=MATRIX, classes=NAMES))
    assert [[cell.text for cell in row] for row in part.grid] == [["3", "1", ""], ["", "", ""], ["2", "", "200"]]
    assert [cell.share for cell in part.grid[0]] == [0.75, 0.25, 0.0]
    run, other = isolated("run"), isolated("</td>")
    assert part.grid[0][1].tip == f"{run} taken for {other}: 1 of 4 videos (25.0 %)"
    assert part.grid[1][0].tip == f"{other} taken for {run}: 0 of 0 videos"
    assert (part.names, part.chart) == (list(NAMES), "")
    assert part.pairs.rows == [["jump, high", "run", 2, "1.0 %"], ["run", "</td>", 1, "25.0 %"]]
    assert (part.pairs.numbers, part.num_pairs) == (["videos", "of the true class"], 2)


def test_pixels_are_percents():
    part = confusion_part(
        Confusion(matrix=MATRIX * 1000 + torch.eye(3, dtype=torch.int64), classes=NAMES, unit="pixels")
    )
    assert [cell.text for cell in part.grid[2]] == ["1 %", "", "99 %"]
    assert part.grid[2][0].tip.endswith(": 2,000 of 202,001 pixels (1.0 %)")
    assert part.pairs.heads == ["true", "said", "pixels", "of the true class"]
    few = torch.tensor([[999, 1, 0], [0, 1, 0], [0, 0, 1]])
    assert confusion_part(Confusion(matrix=few, classes=NAMES, unit="pixels")).grid[0][1].text == "<1 %"


@pytest.mark.parametrize(("num_classes", "pool"), [(MAX_CLASSES_AS_TABLE + 1, 1), (500, 1), (501, 2), (1001, 3)])
def test_many_classes_are_a_chart(num_classes, pool):
    names = [f"c{number}" for number in range(num_classes)]
    part = confusion_part(Confusion(matrix=torch.eye(num_classes, dtype=torch.int64), classes=names))
    assert (part.grid, part.names, part.pool, part.pairs.rows) == ([], [], pool, [])
    assert re.search(r'<image [^>]*href="data:image/png;base64,', part.chart)
    assert len(part.chart) < 60_000


def test_of_many_pairs_the_first_are_told_with_the_numbers_of_the_chart():
    names = [f"c{number}" for number in range(70)]
    matrix = torch.eye(70, dtype=torch.int64).roll(1, dims=1)
    matrix[3, 3] = 5
    part = confusion_part(Confusion(matrix=matrix, classes=names))
    assert (part.num_pairs, len(part.pairs.rows)) == (70, NUM_PAIRS)
    assert part.pairs.heads[:4] == ["true", "true no.", "said", "said no."]
    assert part.pairs.rows[3] == ["c4", 4, "c5", 5, 1, "100.0 %"]  # c3 is mistaken in a smaller share


def test_a_class_a_row():
    with pytest.raises(ValueError, match=r"\(3, 3\) but there are 2 class names"):
        confusion_part(Confusion(matrix=MATRIX, classes=("a", "b")))
