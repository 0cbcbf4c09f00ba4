from pathlib import Path

import numpy as np
import pytest
import torch
from coco_maker import CROWD, DOCUMENT, LONE, SQUARE, document, read_part, write_coco
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.picture_source import PictureSource, size_fault

PEAR = np.zeros((60, 91), dtype=np.uint8)
PEAR[20:45, 10:40] = 1


def source(root, *, masks=True, **changes):
    return PictureSource(read_part(write_coco(root, documents={"train": document(**changes)})), masks=masks)


def test_a_picture_comes_with_boxes_and_masks_of_its_size(tmp_path):
    sample = source(tmp_path).read(0, learned_only=True)
    with Image.open(tmp_path / "train" / "a.png") as picture:
        np.testing.assert_array_equal(sample.picture.permute(1, 2, 0), np.asarray(picture))
    assert sample.boxes.dtype == torch.float32
    assert sample.boxes.tolist() == [[10, 20, 40, 45], [0.5, 1.5, 8.5, 7.75]]
    assert sample.labels.tolist() == [0, 1]
    assert sample.masks.dtype == torch.uint8
    np.testing.assert_array_equal(sample.masks[0], PEAR)
    assert source(tmp_path, masks=False).read(0, learned_only=True).masks is None


def test_crowds_are_left_out_of_what_is_learned_alone(tmp_path):
    lists = source(tmp_path)
    assert lists.read(1, learned_only=True).labels.tolist() == [1]
    both = lists.read(1, learned_only=False)
    assert both.crowd.tolist() == [True, False]
    assert both.masks[0].sum() == 900
    assert lists.read(2, learned_only=True).masks.shape == (0, 50, 50)


def test_objects_whose_outline_is_no_mask_are_left_out_where_masks_are_learned(tmp_path):
    bad = SQUARE | {"id": 15, "segmentation": [[1, 2, 3]]}
    rows = [*DOCUMENT["annotations"], bad]
    assert len(source(tmp_path, annotations=rows).read(0, learned_only=True).labels) == 2
    assert len(source(tmp_path, annotations=rows, masks=False).read(0, learned_only=True).labels) == 3
    assert source(tmp_path, annotations=rows).read(0, learned_only=False).masks[2].sum() == 0


def test_a_set_without_outlines_has_nothing_to_learn_with_masks(tmp_path):
    rows = [{key: value for key, value in row.items() if key != "segmentation"} for row in (SQUARE, LONE, CROWD)]
    assert len(source(tmp_path, annotations=rows).read(0, learned_only=True).labels) == 0


def test_broken_files_are_named_and_opened_once(tmp_path):
    lists = source(tmp_path)
    (tmp_path / "train" / "a.png").write_bytes(b"no picture")
    with pytest.raises(DecodeError, match="a.png"):
        lists.read(0, learned_only=True)
    (tmp_path / "train" / "a.png").unlink()
    with pytest.raises(DecodeError, match="no picture of a known format"):
        lists.read(0, learned_only=True)


@pytest.mark.parametrize("orientation", [6, 8])
def test_a_picture_that_was_annotated_lying_is_a_fault_and_an_upright_one_is_none(tmp_path, orientation):
    lists = source(tmp_path)
    path: Path = tmp_path / "train" / "a.png"
    with Image.open(path) as picture:
        exif = picture.getexif()
        exif[0x0112] = orientation
        picture.save(path, exif=exif)
    with pytest.raises(
        DecodeError, match=r"a.png' is 60x91 pixels, its annotations are for 91x60: it was annotated lying"
    ):
        lists.read(0, learned_only=True)
    upright = [row | {"height": 91, "width": 60} if row["id"] == 7 else row for row in DOCUMENT["images"]]
    (tmp_path / "train" / "b.png").unlink()
    path.rename(tmp_path / "turned.png")
    other = source(tmp_path, images=upright, annotations=[LONE])
    (tmp_path / "turned.png").replace(path)
    assert other.read(0, learned_only=True).size == (91, 60)


def test_another_size_is_told_with_both(tmp_path):
    record = source(tmp_path).pictures.pictures[0]
    assert size_fault(record, (60, 91)) == ""
    assert "is 120x61 pixels, its annotations are for 91x60; annotate" in size_fault(record, (61, 120))
    assert "its annotations are for 91x60: width and height are exchanged" in size_fault(record, (91, 60))  # no EXIF


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "I;16", "1"])
def test_all_kinds_of_pictures_become_rgb(tmp_path, mode):
    lists = source(tmp_path)
    path = tmp_path / "train" / "a.png"
    with Image.open(path) as picture:
        grey = picture.convert("L")
        if mode == "I;16":
            grey.convert("I;16").save(path)
        else:
            picture.convert(mode).save(path, format="TIFF" if mode == "CMYK" else "PNG")
    sample = lists.read(0, learned_only=True)
    assert sample.picture.shape == (3, 60, 91)
    assert sample.picture.dtype == torch.uint8


def test_of_an_animation_the_first_frame_counts(tmp_path):
    lists = source(tmp_path)
    frames = [Image.new("RGB", (91, 60), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "train" / "a.png", format="GIF", save_all=True, append_images=frames[1:])
    assert lists.read(0, learned_only=True).picture[:, 30, 40].tolist() == [255, 0, 0]


@pytest.mark.parametrize("masks", [True, False])
def test_of_too_many_objects_some_are_drawn_other_ones_each_time(tmp_path, masks):
    many = [LONE | {"id": n, "image_id": 6, "bbox": [n, 1, 3, 3]} for n in range(9)]
    lists = source(tmp_path, masks=masks, annotations=[*many, CROWD | {"image_id": 6, "segmentation": None}])
    seen = set()
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        sample = lists.read(2, learned_only=True, max_objects=4, generator=generator)
        lefts = sample.boxes[:, 0].tolist()
        assert len(lefts) == 4
        assert lefts == sorted(lefts)
        seen |= set(lefts)
    assert seen == set(range(9))
    assert len(lists.read(2, learned_only=True, max_objects=9).labels) == 9
    assert len(lists.read(2, learned_only=False, max_objects=4).labels) == 10
