import pytest
from coco_maker import CROWD, LONE, SQUARE, document, read_part, write_coco

from stvit_video.data.layouts.segmentation_checks import check_segmentations


def checked(tmp_path, *annotations, part="train"):
    pictures = read_part(write_coco(tmp_path, documents={"train": document(annotations=annotations)}))
    return check_segmentations(pictures, part)


def test_good_outlines_pass_and_crowds_need_none(tmp_path):
    found = checked(tmp_path, SQUARE, LONE, CROWD | {"segmentation": None})
    assert not found.faults
    assert not found.warnings


def test_a_set_of_boxes_has_no_outlines(tmp_path):
    bare = [{key: value for key, value in row.items() if key != "segmentation"} for row in (SQUARE, LONE)]
    [fault] = checked(tmp_path, *bare).faults
    assert "2 of 2 train objects have no segmentation, first: a.png, b.png" in fault
    assert "train a detector of boxes" in fault


@pytest.mark.parametrize(
    ("segmentation", "what"),
    [
        ([[1, 2, 3, 4]], "at least 6"),
        ([[1, 2, 3, 4, 5, 6, 7]], "odd count"),
        ({"size": [91, 60], "counts": [60 * 91]}, "another size"),
        ({"size": [60, 91], "counts": [5]}, "cover 5 pixels"),
    ],
)
def test_outlines_that_are_no_mask_are_faults_or_left_out(tmp_path, segmentation, what):
    bad = SQUARE | {"segmentation": segmentation}
    [fault] = checked(tmp_path / "many", bad, LONE).faults
    assert "1 of 2 train objects" in fault
    assert what in fault
    assert "a.png" in fault
    good = [LONE | {"id": 100 + n} for n in range(99)]
    found = checked(tmp_path / "few", bad, *good)
    assert not found.faults
    assert "1 of 100 train objects" in found.warnings[0]
    assert what in found.warnings[0]
    assert "task=instance leaves them out of training, task=detection learns their boxes" in found.warnings[0]
    [of_val] = checked(tmp_path / "few", bad, *good, part="val").warnings
    assert "1 of 100 val objects" in of_val
    assert of_val.endswith("the AP of masks counts them as missed")


def moved(row, pixels):
    return row | {"segmentation": [[x + pixels for x in row["segmentation"][0]]]}


@pytest.mark.parametrize(("pixels", "told"), [(0, False), (3, False), (9, True), (-60, True)])
def test_outlines_beside_their_box_are_a_warning(tmp_path, pixels, told):
    found = checked(tmp_path, moved(SQUARE, pixels), LONE)
    assert not found.faults
    assert len(found.warnings) == told
    for warning in found.warnings:
        assert warning.startswith("1 of 2 train objects have an outline that does not fit their box")
        assert "first: a.png;" in warning


def test_run_lengths_are_compared_with_their_box_but_small_ones_are_rounded(tmp_path):
    elsewhere = {"size": [75, 40], "counts": [0, 5, 2995]}
    [warning] = checked(tmp_path / "runs", SQUARE, LONE | {"segmentation": elsewhere}).warnings
    assert "first: b.png;" in warning
    tiny = LONE | {"bbox": [0.6, 0.6, 1, 1], "segmentation": {"size": [75, 40], "counts": [0, 2, 73, 2, 2923]}}
    assert not checked(tmp_path / "tiny", SQUARE, tiny).warnings
