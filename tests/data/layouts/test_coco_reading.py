import json

import numpy as np
import pytest
from coco_maker import DOCUMENT, content, document, read_part, write_coco, write_pictures
from real_data import real_file

from stvit_video.data.decoding.segmentations import segmentation_mask
from stvit_video.data.layouts.coco import find_coco
from stvit_video.data.layouts.coco_reading import read_coco
from stvit_video.data.layouts.segmentation_checks import check_segmentations
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.shards.file_tree import open_tree


def read(folder, data=None, **settings):
    return read_coco(content() if data is None else data, [open_tree(folder)], source="a.json", **settings)


def test_records_have_sizes_ids_and_labels_by_position(tmp_path):
    pictures = read(write_pictures(tmp_path))
    assert pictures.classes == ("pear", "apple")
    assert pictures.category_ids == (90, 3)
    assert pictures.multi_label
    assert [record.picture_id for record in pictures.pictures] == [7, 5, 6]
    assert [record.stated_size for record in pictures.pictures] == [(60, 91), (75, 40), (50, 50)]
    assert [record.path for record in pictures.records] == [tmp_path / f"{name}.png" for name in "abc"]
    assert all(record.is_picture for record in pictures.records)
    assert pictures.warnings == ()
    np.testing.assert_array_equal(pictures.objects.bbox[1], [0.5, 1.5, 8, 6.25])


def test_areas_that_are_not_written_are_those_of_the_boxes(tmp_path):
    rows = [{key: value for key, value in row.items() if key != "area"} for row in DOCUMENT["annotations"]]
    pictures = read(write_pictures(tmp_path), content(annotations=rows))
    assert pictures.objects.areas.tolist() == [750, 50, 1200, 108]


def test_all_faults_are_told_at_once(tmp_path):
    bad = document()
    bad["annotations"][0]["bbox"][2] = 0
    with pytest.raises(ManifestError, match=r"a.json is not usable, 2 fault(.|\n)*the model \(1\)(.|\n)*annotation 11"):
        read(write_pictures(tmp_path), json.dumps(bad).encode(), classes=("pear",))


def test_known_classes_must_be_the_categories_in_order(tmp_path):
    write_pictures(tmp_path)
    assert read(tmp_path, classes=("pear", "apple")).classes == ("pear", "apple")
    with pytest.raises(ManifestError, match="another order"):
        read(tmp_path, classes=("apple", "pear"))


def test_absent_pictures_stay_listed_with_a_warning_and_all_absent_are_a_fault(tmp_path):
    (write_pictures(tmp_path) / "b.png").unlink()
    pictures = read(tmp_path)
    assert len(pictures.records) == 3
    assert "1 of 3 pictures are not in" in pictures.warnings[0]
    assert pictures.warnings[0].endswith("first: b.png; they count as unreadable")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError, match=r"none of its 3 pictures is in .*empty, first: a.png, b.png, c.png; name"):
        read(tmp_path / "empty")


def test_the_folder_that_has_the_pictures_is_taken(tmp_path):
    write_pictures(tmp_path / "deep")
    (tmp_path / "none").mkdir()
    trees = [open_tree(tmp_path / "none"), open_tree(tmp_path / "deep")]
    pictures = read_coco(content(), trees, source="a.json")
    assert pictures.records[0].path == tmp_path / "deep" / "a.png"


def test_a_file_without_objects_is_a_list_of_empty_pictures(tmp_path):
    pictures = read(write_pictures(tmp_path), content(annotations=[]))
    assert len(pictures.records) == 3
    assert len(pictures.objects) == 0
    assert not pictures.has_outlines


def test_the_title_of_an_error_is_the_file(tmp_path):
    root = write_coco(tmp_path)
    (root / "annotations/instances_val.json").write_text("{")
    with pytest.raises(ManifestError, match="instances_val.json is cut off"):
        read_part(root, "val")


COUNTS = {
    "bccd_detection": {"train": (292, 3943), "val": (72, 945)},
    "nuclei_instance": {"train": (564, 24821), "val": (100, 4163)},
}  # their READMEs


@pytest.mark.real_data
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("part", ["train", "val"])
def test_every_real_picture_and_object_is_read(name, part):
    pictures = find_coco(part, known_classes=None, root=str(real_file("data", name)))()
    assert (len(pictures.records), len(pictures.objects)) == COUNTS[name][part]
    assert pictures.objects.sound.all()
    assert pictures.has_outlines == (name == "nuclei_instance")
    assert not [text for text in pictures.warnings if "reach" not in text]


@pytest.mark.real_data
def test_real_masks_lie_in_their_boxes():
    pictures = find_coco("val", known_classes=None, root=str(real_file("data", "nuclei_instance")))()
    assert not check_segmentations(pictures, "val").faults
    for record in pictures.pictures[::5]:
        objects = pictures.objects_of(record)
        for box, area, outline in zip(objects.boxes, objects.areas, objects.segmentations, strict=True):
            mask = segmentation_mask(outline, height=record.stated_size[0], width=record.stated_size[1])
            rows, columns = np.nonzero(mask)
            around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(around, box, atol=1.5)
            assert mask.sum() == area
