from stvit_video.data.layouts.drawn_shapes import find_drawn_shapes
from stvit_video.data.layouts.segmentation_checks import check_segmentations
from stvit_video.data.synthetic.shapes import SHAPE_CLASSES

SETTINGS = {"num_train": 7, "num_val": 3, "image_size": 48}


def test_both_parts_are_drawn_when_one_is_read(tmp_path):
    reading = find_drawn_shapes("train", known_classes=None, root=str(tmp_path / "set"), **SETTINGS)
    assert not (tmp_path / "set").exists()
    train = reading()
    val = find_drawn_shapes("val", known_classes=train.classes, root=str(tmp_path / "set"), **SETTINGS)()
    assert (len(train.records), len(val.records)) == (7, 3)
    assert train.classes == SHAPE_CLASSES
    assert train.objects.sound.all()
    assert not train.warnings
    assert not check_segmentations(train, "train").faults
