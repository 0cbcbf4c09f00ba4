"""Pictures exist, have the size they should have, and are drawn from the right numbers."""

import csv
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from real_data import real_file

from stvit_video.evaluation.plots import (
    most_confused,
    pooled_shares,
    read_curve,
    save_confusion_matrix,
    save_curves,
)
from stvit_video.utils.figures import MAX_SIDE_PIXELS


def png_size(path: Path) -> tuple[int, int]:
    """Width and height from the PNG header."""
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def test_a_larger_matrix_gets_a_larger_picture(tmp_path: Path) -> None:
    sizes = []
    for num_classes in (2, 12, 100):
        matrix = torch.randint(0, 50, (num_classes, num_classes), generator=torch.Generator().manual_seed(0))
        path = tmp_path / f"{num_classes}.png"
        save_confusion_matrix(matrix, [f"class number {n}" for n in range(num_classes)], path)
        sizes.append(png_size(path))
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[2][1] >= 100 * 10  # ten pixels a name is what 6-point letters need


def test_names_are_taken_literally_and_empty_rows_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    save_confusion_matrix(torch.tensor([[0, 0], [3, 1]]), ["$\\frac{", "x" * 300], path)
    width, height = png_size(path)
    assert width < 1500
    assert height < 1500


def test_many_classes_cost_no_more_than_some(tmp_path: Path) -> None:
    """In a process of its own, whose peak of memory is the picture's; 1 GB and 10 s is what it may cost."""
    code = (
        "import resource, sys, time, torch; from pathlib import Path\n"
        "from stvit_video.evaluation.plots import save_confusion_matrix\n"
        "import matplotlib.backends.backend_agg\n"
        "n = 5000; pairs = torch.arange(20000) * 7919 % (n * n)\n"
        "matrix = pairs.bincount(minlength=n * n).reshape(n, n)\n"
        "before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()\n"
        "save_confusion_matrix(matrix, [f'{i} ' + 'x' * 300 for i in range(n)], Path(sys.argv[1]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, time.process_time() - start)"
    )
    path = tmp_path / "many.png"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    kilobytes, seconds = map(float, done.stdout.split())
    assert kilobytes < 700_000
    assert seconds < 10
    assert max(png_size(path)) <= MAX_SIDE_PIXELS


@pytest.mark.parametrize(("num_classes", "max_cells"), [(7, 7), (7, 3), (11, 4), (5, 800)])
def test_shares_of_blocks_are_those_of_a_slow_loop(num_classes: int, max_cells: int) -> None:
    matrix = torch.randint(0, 4, (num_classes, num_classes), generator=torch.Generator().manual_seed(1))
    matrix[2] = 0
    size = -(-num_classes // max_cells)
    pooled = pooled_shares(matrix, max_cells=max_cells)
    blocks = -(-num_classes // size)
    assert tuple(pooled.shape) == (blocks, blocks)
    for row in range(blocks):
        for column in range(blocks):
            cells = [
                int(matrix[i, j]) / max(int(matrix[i].sum()), 1)
                for i in range(row * size, min((row + 1) * size, num_classes))
                for j in range(column * size, min((column + 1) * size, num_classes))
            ]
            assert float(pooled[row, column]) == pytest.approx(max(cells))


def test_most_confused_pairs_are_those_off_the_diagonal() -> None:
    matrix = torch.tensor([[9, 2, 0], [5, 9, 2], [0, 7, 1]])
    assert most_confused(matrix, count=3) == [(2, 1, 7), (1, 0, 5), (0, 1, 2)]
    assert most_confused(matrix, count=9)[3:] == [(1, 2, 2)]
    equal = torch.tensor([[8, 2, 0], [0, 4, 2], [2, 0, 8]])
    assert most_confused(equal, count=3) == [(1, 2, 2), (0, 1, 2), (2, 0, 2)]  # shares of .33, .2 and .2
    assert most_confused(torch.eye(3, dtype=torch.int64), count=3) == []


@pytest.mark.parametrize("num_classes", [3, 30, 101])
@pytest.mark.filterwarnings("error")
def test_names_of_any_script_are_drawn_without_a_warning(tmp_path: Path, num_classes: int) -> None:
    odd = ["跳舞 💃 café", "costs $5 to $10", "רוץ \ud800 \u200d"]
    classes = [f"{odd[number % 3]} {number}" for number in range(num_classes)]
    save_confusion_matrix(torch.ones(num_classes, num_classes, dtype=torch.int64), classes, tmp_path / "odd.png")
    assert max(png_size(tmp_path / "odd.png")) <= MAX_SIDE_PIXELS


@pytest.mark.real_data
@pytest.mark.filterwarnings("error")
def test_names_of_the_field_are_drawn(tmp_path: Path) -> None:
    with real_file("data", "field_cases", "names", "list.csv").open(newline="", encoding="utf-8") as file:
        classes = [row["label"] for row in csv.DictReader(file)]
    assert len(classes) == 5
    save_confusion_matrix(torch.eye(5, dtype=torch.int64), classes, tmp_path / "names.png")
    assert png_size(tmp_path / "names.png")[0] > 100


@pytest.mark.parametrize("num_classes", [3, 30, 101])
def test_counts_of_pixels_are_written_in_percent(tmp_path: Path, num_classes: int, monkeypatch) -> None:
    from matplotlib.axes import Axes

    texts, plain = [], Axes.text
    monkeypatch.setattr(Axes, "text", lambda self, x, y, s, **more: texts.append(s) or plain(self, x, y, s, **more))
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    matrix[0, 0], matrix[0, 1], matrix[0, 2] = 9_000_000, 990_000, 10_000
    save_confusion_matrix(matrix, [f"c{n}" for n in range(num_classes)], tmp_path / "m.png", in_percent=True)
    expected = {3: ["90", "10", "<1"], 30: [], 101: ["10 %: c0 (0) > c1 (1)", "<1 %: c0 (0) > c2 (2)"]}
    assert [text for text in texts if not text.startswith("most")] == expected[num_classes]


def test_a_matrix_of_another_size_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"matrix .*\(3, 3\) .*2 class names"):
        save_confusion_matrix(torch.zeros(3, 3), ["a", "b"], tmp_path / "no.png")


# two training rows of epoch 0, then validation, then epoch 1, as Lightning's CSVLogger writes them
METRICS_CSV = """epoch,lr,step,train/loss,train/top1,val/loss,val/top1
0,0.1,4,2.0,0.25,,
0,0.1,9,1.0,0.75,,
0,,9,,,1.25,0.5
,0.05,12,,,,
1,0.1,19,0.5,1.0,,
"""


def test_curves(tmp_path: Path) -> None:
    source = tmp_path / "metrics.csv"
    source.write_text(METRICS_CSV)
    assert read_curve(source, "train/loss") == {0: 1.5, 1: 0.5}
    assert read_curve(source, "val/top1") == {0: 0.5}
    assert read_curve(source, "val/map") == {}
    save_curves(source, tmp_path / "curves.png")
    assert png_size(tmp_path / "curves.png") == (1080, 420)


@pytest.mark.parametrize("num_epochs", [1, 2, 7])
def test_ticks_are_whole_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_epochs: int) -> None:
    source, figures = tmp_path / "metrics.csv", []
    source.write_text("epoch,train/loss\n" + "".join(f"{epoch},{1 / (epoch + 1)}\n" for epoch in range(num_epochs)))
    monkeypatch.setattr("stvit_video.evaluation.plots.save_figure", lambda figure, path: figures.append(figure))
    save_curves(source, tmp_path / "curves.png")
    left, right = figures[0].axes[0].get_xlim()
    ticks = [tick for tick in figures[0].axes[0].get_xticks() if left <= tick <= right]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)
    (line,) = figures[0].axes[0].get_lines()
    assert list(line.get_xdata()) == list(range(1, num_epochs + 1))  # as the epochs are printed


def test_curves_without_validation(tmp_path: Path) -> None:
    source = tmp_path / "metrics.csv"
    source.write_text("epoch,step,train/loss\n0,3,1.5\n1,7,1.0\n")
    save_curves(source, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()


@pytest.mark.parametrize("text", ["", "epoch,step,train/loss\n0,3,\n", "step,train/loss\n0,1.0\n"])
def test_nothing_to_draw_is_an_error(tmp_path: Path, text: str) -> None:
    source = tmp_path / "metrics.csv"
    source.write_text(text)
    with pytest.raises(ValueError, match="metrics.csv .*columns epoch and any of train/loss"):
        save_curves(source, tmp_path / "curves.png")


def test_mixed_batches_and_several_labels_have_their_panels(tmp_path: Path) -> None:
    source = tmp_path / "metrics.csv"
    source.write_text("epoch,step,train/top1_mixed\n0,3,0.5\n1,7,0.75\n")
    save_curves(source, tmp_path / "mixed.png")
    assert png_size(tmp_path / "mixed.png") == (540, 420)
    source.write_text("epoch,step,train/loss,val/loss,val/mAP\n0,3,1.5,,\n0,3,,1.25,0.5\n")
    save_curves(source, tmp_path / "several.png")
    assert png_size(tmp_path / "several.png") == (1080, 420)
    source.write_text("epoch,step,train/loss,train/top1,val/mAP\n0,3,1.5,0.5,0.25\n")
    save_curves(source, tmp_path / "three.png")
    assert png_size(tmp_path / "three.png") == (1620, 420)


def test_the_scores_of_a_segmenter_are_shares_with_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, figures = tmp_path / "metrics.csv", []
    source.write_text("epoch,val/mIoU,val/mAcc,val/aAcc\n0,0.25,0.5,0.75\n")
    monkeypatch.setattr("stvit_video.evaluation.plots.save_figure", lambda figure, path: figures.append(figure))
    save_curves(source, tmp_path / "curves.png")
    (axes,) = figures[0].axes
    assert axes.get_ylabel() == "share"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["val/mIoU", "val/mAcc", "val/aAcc"]


def test_the_precision_of_detections_has_a_panel(tmp_path: Path) -> None:
    source = tmp_path / "metrics.csv"
    source.write_text("epoch,step,train/loss,val/AP,val/AP50\n0,3,1.5,,\n0,3,,0.25,0.5\n")
    save_curves(source, tmp_path / "detector.png")
    assert png_size(tmp_path / "detector.png") == (1080, 420)
