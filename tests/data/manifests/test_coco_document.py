import json

from coco_maker import DOCUMENT, content, read_part, write_coco

from stvit_video.data.manifests.coco_document import as_coco


def test_the_document_comes_back_to_the_last_digit(tmp_path):
    pictures = read_part(write_coco(tmp_path))
    document = json.loads(json.dumps(as_coco(pictures)))
    by_box = {tuple(row["bbox"]): row for row in document["annotations"]}
    for row in DOCUMENT["annotations"]:
        assert by_box[tuple(row["bbox"])] | {"id": row["id"]} == row
    assert document["images"] == DOCUMENT["images"]
    assert document["categories"] == DOCUMENT["categories"]
    assert [row["id"] for row in document["annotations"]] == [1, 2, 3, 4]
    assert json.loads(content()) == DOCUMENT


def test_some_pictures_are_chosen_by_position(tmp_path):
    document = as_coco(read_part(write_coco(tmp_path)), positions=[2, 1])
    assert [row["id"] for row in document["images"]] == [6, 5]
    assert {row["image_id"] for row in document["annotations"]} == {5}
