import pytest
from coco_maker import CROWD, LONE, SQUARE, document, read_part, write_coco

from stvit_video.data.layouts.segmentation_checks import check_segmentations


def checked(tmp_path, *annotations):
    return check_segmentations(read_part(write_coco(tmp_path, documents={"train": document(annotations=annotations)})))


def test_good_outlines_pass_and_crowds_need_none(tmp_path):
    found = checked(tmp_path, SQUARE, LONE, CROWD | {"segmentation": None})
    assert not found.faults
    assert not found.warnings


def test_a_set_of_boxes_has_no_outlines(tmp_path):
    bare = [{key: value for key, value in row.items() if key != "segmentation"} for row in (SQUARE, LONE)]
    [fault] = checked(tmp_path, *bare).faults
    assert "2 of 2 objects have no segmentation, first: a.png, b.png" in fault
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
    assert "1 of 2 objects" in fault
    assert what in fault
    assert "a.png" in fault
    good = [LONE | {"id": 100 + n} for n in range(99)]
    found = checked(tmp_path / "few", bad, *good)
    assert not found.faults
    assert "1 of 100 objects" in found.warnings[0]
    assert what in found.warnings[0]
