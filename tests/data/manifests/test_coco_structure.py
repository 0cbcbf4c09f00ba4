import json
import re

import pytest
from coco_maker import DOCUMENT, content, document

from stvit_video.data.manifests.coco_structure import check_ids, parse_coco
from stvit_video.data.manifests.faults import ManifestError


def test_a_good_file_is_read_and_has_no_findings():
    parsed = parse_coco(content(), source="a.json")
    assert parsed == DOCUMENT
    found = check_ids(parsed)
    assert not found.faults
    assert not found.warnings


RESULTS = json.dumps([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]).encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (content()[:-40], f"cut off after {len(content()) - 40} bytes"),
        (content()[: content().index(b"file_name") + 4], "cut off"),
        (b"<annotation/>", "no JSON .line 1, column 1"),
        (b'{"a": "\xff"}', "no JSON text"),
        (RESULTS, "results of a detector"),
        (b"[]", "a list.*images, annotations and categories"),
        (b"3", "no images, annotations and categories"),
        (b'{"images": [], "categories": []}', "no annotations"),
        (b'{"images": {}, "annotations": [], "categories": []}', "images must be a list"),
    ],
)
def test_what_is_no_file_of_annotations_is_named(data, what):
    with pytest.raises(ManifestError, match=f"a.json.*{what}"):
        parse_coco(data, source="a.json")


def changed(name, row, /, **values):
    rows = document()[name]
    rows[row] = {key: value for key, value in (rows[row] | values).items() if value is not ...}
    return document(**{name: rows})


@pytest.mark.parametrize(
    ("parsed", "what"),
    [
        (changed("images", 1, file_name=...), "1 of 3 images have no file_name.*id 5"),
        (changed("images", 1, width=0), "1 of 3 images have no width"),
        (changed("images", 1, height="50"), "1 of 3 images have no height"),
        (changed("images", 0, id=...), "1 of 3 images have no id.*entry 0"),
        (changed("annotations", 2, bbox=[1, 2, 3]), r"1 of 4 annotations have no bbox.*\[x, y, width, height\].*id 12"),
        (changed("annotations", 2, bbox=...), "no bbox"),
        (changed("annotations", 2, category_id=None), "no category_id"),
        (changed("categories", 0, name=3), "1 of 2 categories have no name"),
        (document(images=[*DOCUMENT["images"], 5]), "1 of 4 images have no id.*entry 3"),
        (changed("images", 1, id=7), "1 values of id stand more than once among the images, first: 7"),
        (changed("annotations", 1, id=11), "among the annotations, first: 11"),
        (changed("categories", 1, id=90), "among the categories, first: 90"),
        (changed("categories", 1, name="pear"), "values of name .*first: pear; .*rename one"),
        (changed("annotations", 1, image_id=8), "1 of 4 annotations have an image_id that none of the 3 images.*8"),
        (
            changed("annotations", 1, image_id="5"),
            "first: 5; such ids are texts in the annotations and numbers in images",
        ),
        (changed("annotations", 1, category_id=4), "category_id that none of the 2 categories has, first: 4"),
        (
            document(images=[row | {"id": str(row["id"])} for row in DOCUMENT["images"]]),
            "4 of 4 annotations have an image_id.*such ids are numbers in the annotations and texts in images",
        ),
        (document(images=[], annotations=[]), "images is empty"),
        (document(categories=[], annotations=[]), "categories is empty"),
    ],
)
def test_entries_and_ids_that_do_not_fit_are_faults(parsed, what):
    assert any(re.search(what, fault) for fault in check_ids(parsed).faults)


def test_one_file_under_two_ids_is_a_warning():
    found = check_ids(changed("images", 1, file_name="a.png"))
    assert not found.faults
    assert "1 pictures" in found.warnings[0]
    assert "a.png" in found.warnings[0]


def test_ids_may_be_texts_and_annotations_may_lack_theirs():
    texts = json.loads(
        json.dumps(DOCUMENT).replace('"id": 7,', '"id": "x7",').replace('"image_id": 7,', '"image_id": "x7",')
    )
    for row in texts["annotations"]:
        del row["id"]
    assert not check_ids(texts).faults
