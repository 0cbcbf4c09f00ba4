import numpy as np
import pytest
from map_maker import SIZES, labels_of
from picture_maker import pack, write_picture
from PIL import Image

from stvit_video.data.layouts.voc_segments import VOC_CLASSES, find_voc_segments
from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.faults import ManifestError


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "set" / "VOC2012"
    (root / "SegmentationClass").mkdir(parents=True)
    for seed, (stem, size) in enumerate(SIZES.items()):
        write_picture(root / "JPEGImages" / f"{stem}.jpg", seed=seed, size=size)
        image = Image.fromarray(labels_of(size, seed), "P")
        image.putpalette([value for code in range(256) for value in (code, 255 - code, code // 2)])
        image.save(root / "SegmentationClass" / f"{stem}.png")
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nc\n")
    (lists / "val.txt").write_text("b\n")
    return root


@pytest.mark.parametrize("packed", [False, True])
def test_listed_pictures_have_the_indices_of_their_maps(root, tmp_path, packed):
    place = pack(root.parent, tmp_path / "set.zip") if packed else root
    pictures = find_voc_segments("train", known_classes=None, root=str(place))()
    assert [record.picture_id for record in pictures.pictures] == ["a", "c"]
    for index, (number, stem) in enumerate(((0, "a"), (2, "c"))):
        np.testing.assert_array_equal(pictures.read_stored(index), labels_of(SIZES[stem], number))
    assert tuple(pictures.names.names.values()) == VOC_CLASSES
    assert len(VOC_CLASSES) == 21
    classes, rules = choose_classes(pictures.names)
    assert classes[15] == "person"
    assert not rules.unknown(rules.counted(pictures.read_stored(0)))  # 255 is the border


def test_lists_and_classes_are_chosen(root):
    (root / "classes.txt").write_text("sky\nroad\ncar\n")
    pictures = find_voc_segments("val", known_classes=None, root=str(root), val_set="train")()
    assert [record.picture_id for record in pictures.pictures] == ["a", "c"]
    assert tuple(pictures.names.names.values()) == ("sky", "road", "car")
    with pytest.raises(ManifestError, match="data.train_set=test"):
        find_voc_segments("train", known_classes=None, root=str(root), train_set="test")
    with pytest.raises(ManifestError, match="JPEGImages, SegmentationClass, ImageSets not"):
        find_voc_segments("train", known_classes=None, root=str(root / "JPEGImages"))


def test_absent_files_are_told_and_stay_in_the_list(root):
    (root / "JPEGImages" / "a.jpg").unlink()
    (root / "SegmentationClass" / "c.png").unlink()
    pictures = find_voc_segments("train", known_classes=None, root=str(root))()
    assert len(pictures.records) == 2
    (told,) = pictures.warnings  # absent maps are told with all that maps can have
    assert told.startswith("1 of 2 pictures are not in")
    (root / "SegmentationClass" / "a.png").unlink()
    with pytest.raises(ManifestError, match="none of its 2 label maps is in .*into the folder SegmentationClass"):
        find_voc_segments("train", known_classes=None, root=str(root))()
