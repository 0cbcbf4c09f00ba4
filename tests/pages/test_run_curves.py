import re
from itertools import pairwise

import pytest

from stvit_video.pages.run_curves import MAX_TOLD, curve_charts


def told(chart):
    return re.findall(r"<title>(.*?)</title>", chart, re.DOTALL)


def test_every_epoch_says_its_value(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,train/loss,val/loss,val/top1\n0,2.5,,\n0,,1.25,0.5\n1,1.5,,\n1,,nan,0.75\n")
    loss, top1 = curve_charts(path)
    assert told(loss) == ["train/loss\nepoch 1: 2.5", "train/loss\nepoch 2: 1.5", "val/loss\nepoch 1: 1.25"]
    assert told(top1) == ["val/top1\nepoch 1: 0.5", "val/top1\nepoch 2: 0.75"]


def test_of_many_epochs_some_are_told(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,train/loss\n" + "".join(f"{epoch},{epoch / 8}\n" for epoch in range(300)))
    (chart,) = curve_charts(path)
    epochs = [int(re.search(r"epoch (\d+)", text)[1]) for text in told(chart)]
    assert len(epochs) == MAX_TOLD
    assert (epochs[0], epochs[-1]) == (1, 300)
    assert max(b - a for a, b in pairwise(epochs)) == 8
    assert len(chart) < 60_000


@pytest.mark.parametrize("text", ["epoch,step\n0,1\n", "epoch,val/loss\n0,\n", ""])
def test_nothing_to_draw(tmp_path, text):
    path = tmp_path / "metrics.csv"
    path.write_text(text)
    assert curve_charts(path) == []


def test_a_curve_of_nan_is_drawn_without_marks(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,train/loss\n0,nan\n1,inf\n")
    (chart,) = curve_charts(path)
    assert told(chart) == []


@pytest.mark.parametrize(("name", "values"), [("val/top1", (0.5, 0.501)), ("val/loss", (2.0, 2.005))])
def test_what_hardly_differs_looks_alike(tmp_path, name, values):
    path = tmp_path / "metrics.csv"
    path.write_text(f"epoch,{name}\n" + "".join(f"{epoch},{value}\n" for epoch, value in enumerate(values)))
    (chart,) = curve_charts(path)
    low, high = (float(height) for height in re.findall(r'class="hit"[^>]* cy="([\d.]+)"', chart))
    assert 0 < low - high < 0.06 * 3.5 * 72  # of the height of the figure in points
