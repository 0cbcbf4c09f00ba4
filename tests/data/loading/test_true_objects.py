import numpy as np
from coco_maker import SQUARE, document, read_part, write_coco

from stvit_video.data.decoding.segmentations import segmentation_mask
from stvit_video.data.loading.true_objects import true_objects


def test_objects_are_as_they_are_written(tmp_path):
    first, second, third = true_objects(read_part(write_coco(tmp_path)), masks=False)
    assert first["picture_id"] == 7
    assert first["boxes"].tolist() == [[10, 20, 40, 45], [0.5, 1.5, 8.5, 7.75]]
    assert first["labels"].tolist() == [0, 1]
    assert first["areas"].tolist() == [700, 50]
    assert second["crowd"].tolist() == [True, False]
    assert third["boxes"].shape == (0, 4)
    assert "masks" not in first


def test_outlines_of_all_forms_are_run_lengths(tmp_path):
    [second] = true_objects(read_part(write_coco(tmp_path)), masks=True, positions=[1])
    masks = [segmentation_mask(runs, height=75, width=40) for runs in second["masks"]]
    assert masks[0].sum() == 900
    assert masks[1][40:49, 5:17].all()
    assert masks[1].sum() == 108


def test_what_can_not_be_scored_is_left_out_or_empty(tmp_path):
    bad = [SQUARE | {"id": n, "bbox": [1, 2, 3 + n % 60, 4]} for n in range(150)]
    bad[5]["bbox"] = [1, float("nan"), 3, 4]
    bad[0]["segmentation"] = None
    found = true_objects(read_part(write_coco(tmp_path, documents={"train": document(annotations=bad)})), masks=True)
    assert len(found[0]["boxes"]) == len(found[0]["masks"]) == 149
    assert np.isfinite(found[0]["boxes"]).all()
    assert found[0]["masks"][0] == {"size": [60, 91], "counts": [60 * 91]}
