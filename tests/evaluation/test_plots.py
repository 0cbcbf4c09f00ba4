"""Pictures exist, have the size they should have, and are drawn from the right numbers."""

import struct
from pathlib import Path

import pytest
import torch

from stvit_video.evaluation.plots import read_curve, save_confusion_matrix, save_curves


def png_size(path: Path) -> tuple[int, int]:
    """Width and height from the PNG header."""
    header = path.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def test_a_larger_matrix_gets_a_larger_picture(tmp_path: Path) -> None:
    sizes = []
    for num_classes in (2, 12, 120):
        matrix = torch.randint(0, 50, (num_classes, num_classes), generator=torch.Generator().manual_seed(0))
        path = tmp_path / f"{num_classes}.png"
        save_confusion_matrix(matrix, [f"class number {n}" for n in range(num_classes)], path)
        sizes.append(png_size(path))
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[2][1] >= 120 * 10  # ten pixels a name is what 6-point letters need


def test_names_are_taken_literally_and_empty_rows_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "odd.png"
    save_confusion_matrix(torch.tensor([[0, 0], [3, 1]]), ["$\\frac{", "x" * 300], path)
    width, height = png_size(path)
    assert width < 1500
    assert height < 1500


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
