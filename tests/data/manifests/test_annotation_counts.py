import re

import pytest
from coco_maker import CROWD, DOCUMENT, LONE, SQUARE, document, read_part, write_coco

from stvit_video.data.manifests.annotation_counts import category_faults, check_categories, check_counts, check_parts


def pictures_of(tmp_path, **changes):
    return read_part(write_coco(tmp_path, documents={"train": document(**changes)}))


@pytest.mark.parametrize(
    ("part", "of_class", "of_pictures"),
    [
        ("train", "can't be learned: add some", r"teach the background \(data.drop_empty=true leaves them out\)$"),
        ("val", "can't be scored: add some", "are scored, and detections in them count as false$"),
    ],
)
def test_empty_pictures_and_classes_without_objects_are_warnings(tmp_path, part, of_class, of_pictures):
    found = check_counts(pictures_of(tmp_path, annotations=[SQUARE, CROWD]), part, max_objects=None)
    assert not found.faults
    classes, pictures = found.warnings
    assert re.match(rf"1 of 2 classes have no {part} object, first: apple; they {of_class}", classes), classes
    assert re.match(rf"2 of 3 {part} pictures have no object; they {of_pictures}", pictures), pictures


def test_a_list_with_nothing_to_learn_is_a_fault(tmp_path):
    for part, annotations, what in (
        ("train", [CROWD], "all 1 objects of the 3 train pictures are crowds or difficult"),
        ("val", [], "none of the 3 val pictures has an object; check"),
    ):
        found = check_counts(pictures_of(tmp_path, annotations=annotations), part, max_objects=None)
        assert what in found.faults[0]


def test_crowded_training_pictures_are_told_with_the_limit(tmp_path):
    many = [LONE | {"id": n, "image_id": 6, "bbox": [n, 1, 3, 3]} for n in range(5)]
    pictures = pictures_of(tmp_path, annotations=[SQUARE, *many])
    [warning] = [text for text in check_counts(pictures, "train", max_objects=4).warnings if "max_objects" in text]
    assert warning.startswith(
        "1 train pictures have more objects than are learned at once (data.max_objects=4), at most"
    )
    assert "at most 5 (c.png: 4); each epoch learns from as many, drawn at random" in warning
    for part, limit in (("train", 5), ("val", 4), ("train", None)):
        assert not any("max_objects" in text for text in check_counts(pictures, part, max_objects=limit).warnings)


CATEGORIES = DOCUMENT["categories"]


@pytest.mark.parametrize(
    ("categories", "what"),
    [
        (CATEGORIES[::-1], "another order: number 0 is 'pear' and 'apple'"),
        ([*CATEGORIES, {"id": 4, "name": "fig"}], r"train \(2\) and val \(3\) differ: val alone has 'fig'"),
        ([CATEGORIES[0], {"id": 3, "name": "fig"}], "train alone has 'apple' and val alone has 'fig'"),
    ],
)
def test_other_categories_and_another_order_are_faults(tmp_path, categories, what):
    root = write_coco(tmp_path, documents={"val": document(categories=categories)})
    [fault] = check_categories(read_part(root), read_part(root, "val")).faults
    assert what.replace("\\", "") in fault


def test_other_numbers_of_the_same_categories_are_none(tmp_path):
    renumbered = [{"id": 1, "name": "pear"}, {"id": 2, "name": "apple"}]
    rows = [row | {"category_id": {90: 1, 3: 2}[row["category_id"]]} for row in DOCUMENT["annotations"]]
    root = write_coco(tmp_path, documents={"val": document(categories=renumbered, annotations=rows)})
    assert not check_categories(read_part(root), read_part(root, "val")).faults


def test_long_lists_of_names_are_cut():
    names = tuple(f"n{n}" for n in range(9))
    [fault] = category_faults((), names, names=("model", "file"), kind="classes").faults
    assert fault.startswith("the classes of model (0) and file (")
    [fault] = category_faults((), names, names=("model", "file")).faults
    assert "'n5' and 3 more" in fault


def test_the_same_file_in_both_parts_is_a_warning(tmp_path):
    root = write_coco(tmp_path)
    train, val = read_part(root), read_part(root, "val")
    assert not check_parts(train, val).warnings
    assert (
        "3 of the 3 val pictures are train pictures, too, first: a.png, b.png, c.png"
        in check_parts(train, train).warnings[0]
    )


def test_masks_of_large_crowded_pictures_are_a_limit_of_their_own(tmp_path):
    images = [row | {"width": 30000, "height": 30000} if row["id"] == 7 else row for row in DOCUMENT["images"]]
    pictures = pictures_of(tmp_path, images=images)
    [warning] = [text for text in check_counts(pictures, "train", max_objects=9, masks=True).warnings if "2^30" in text]
    assert "at most 2 (a.png: 1)" in warning
    assert not [text for text in check_counts(pictures, "train", max_objects=9).warnings if "at once" in text]
