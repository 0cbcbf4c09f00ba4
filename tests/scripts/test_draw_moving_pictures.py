import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stvit_video.data.decoding.segmentations import segmentation_mask
from stvit_video.data.layouts.coco import find_coco_folders
from stvit_video.data.manifests.picture_sequences import sequence_rows
from stvit_video.data.synthetic.shapes_dataset import write_shapes_dataset


@pytest.fixture
def shapes(tmp_path):
    return write_shapes_dataset(tmp_path / "shapes", num_train=1, num_val=5, image_size=64)


def words(shapes, out, **settings):
    given = {"json": shapes / "annotations" / "instances_val.json", "images": shapes / "val", "out": out, "frames": 3}
    return [f"{name}={value}" for name, value in {**given, **settings}.items()]


def read_clips(out):
    places = {"val_json": str(out / "annotations.json"), "val_images": str(out / "frames")}
    return find_coco_folders("val", known_classes=None, **places)()


def test_clips_can_be_read_as_sequences_with_masks_and_label_maps(script, shapes, tmp_path, capsys):
    out = tmp_path / "clips"
    assert script.main(words(shapes, out, clips=7, size="40x48")) == 0
    assert "21 frames of 7 clips" in capsys.readouterr().out
    pictures = read_clips(out)
    assert pictures.classes == ("disc", "square", "triangle")
    assert [len(rows) for rows in sequence_rows(pictures)] == [3] * 7
    assert {record.stated_size for record in pictures.pictures} == {(40, 48)}
    assert (out / "classes.txt").read_text() == "background\ndisc\nsquare\ntriangle\n"
    num_objects = 0
    for record in pictures.pictures:
        objects = pictures.objects_of(record)
        with Image.open(out / "maps" / Path(record.video_id).with_suffix(".png")) as opened:
            labels = np.asarray(opened)
        with Image.open(record.path) as opened:
            assert opened.size == (48, 40)
        num_shown = 0
        for box, label, outline in zip(objects.boxes, objects.labels, objects.segmentations, strict=True):
            mask = segmentation_mask(outline, height=40, width=48).astype(bool)
            rows, columns = np.nonzero(mask)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert (labels[mask] == label + 1).all()
            num_shown += mask.sum()
        assert num_shown == (labels > 0).sum()
        num_objects += len(objects.labels)
    assert num_objects > 20


def test_boxes_alone_give_no_maps(script, shapes, tmp_path):
    path = shapes / "annotations" / "instances_val.json"
    document = json.loads(path.read_text())
    for row in document["annotations"]:
        del row["segmentation"]
    path.write_text(json.dumps(document))
    out = tmp_path / "clips"
    assert script.main(words(shapes, out, clips=2)) == 0
    assert sorted(entry.name for entry in out.iterdir()) == ["annotations.json", "frames"]
    pictures = read_clips(out)
    assert not pictures.has_outlines
    assert [record.video_id for record in pictures.pictures[:3]] == [f"clip000/000{n}.jpg" for n in range(3)]
    assert pictures.objects.sound.all()
    drawn_from = [row["drawn_from"] for row in json.loads((out / "annotations.json").read_text())["images"]]
    assert drawn_from == ["000000.png"] * 3 + ["000002.png"] * 3  # spread over the five


def test_the_same_settings_draw_the_same_files_again(script, shapes, tmp_path):
    contents = []
    for folder, settings in (("a", {}), ("b", {}), ("a", {"clips": 1}), ("b", {"seed": 1})):
        assert script.main(words(shapes, tmp_path / folder, **settings)) == 0
        files = [path for path in (tmp_path / folder).rglob("*") if path.is_file()]
        contents.append({path.relative_to(tmp_path / folder): path.read_bytes() for path in files})
    assert contents[0] == contents[1] != contents[3]
    assert len(contents[0]) == 5 * 3 * 2 + 2
    assert len(contents[2]) == 3 * 2 + 2  # what was drawn before is gone


def test_a_picture_that_cant_be_read_gives_no_clip_and_a_note(script, shapes, tmp_path, capsys):
    (shapes / "val" / "000001.png").write_bytes(b"x")
    assert script.main(words(shapes, tmp_path / "clips")) == 0
    told = capsys.readouterr()
    assert "clip001: " in told.err
    assert "000001.png" in told.err
    assert "12 frames of 4 clips" in told.out
    for number in range(5):
        (shapes / "val" / f"{number:06d}.png").write_bytes(b"x")
    assert script.main(words(shapes, tmp_path / "clips")) == 2
    assert "none of the 5 pictures" in capsys.readouterr().err
    assert not (tmp_path / "clips" / "annotations.json").exists()


def test_a_folder_with_other_files_is_left_alone(script, shapes, tmp_path, capsys):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "thesis.txt").write_text("x")
    assert script.main(words(shapes, tmp_path / "clips")) == 2
    assert "'thesis.txt'" in capsys.readouterr().err
    assert (tmp_path / "clips" / "thesis.txt").exists()
