import json
import logging
import shutil

import pytest
from coco_maker import DOCUMENT, document, write_coco

from stvit_video.data.loading.picture_options import picture_options
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.factories.picture_lists import (
    annotation_findings,
    build_pictures,
    file_findings,
    find_options,
    read_pictures,
)


def data_of(root, **more):
    return {"source": "coco", "root": str(root), "quarantine": None, **more}


def test_both_parts_are_read(tmp_path):
    train, val = build_pictures(data_of(write_coco(tmp_path)), masks=True)
    assert (len(train.records), len(val.records)) == (3, 3)
    train, _ = build_pictures(data_of(tmp_path, drop_empty=True), masks=True)
    assert [record.video_id for record in train.records] == ["a.png", "b.png"]


def test_settings_of_pictures_have_defaults():
    assert find_options({"source": "coco"}) == picture_options()
    assert find_options({"long_side": 500, "batch_size": 3}).long_side == 500


def test_what_is_in_quarantine_is_left_out_of_training(tmp_path):
    root = write_coco(tmp_path)
    (root / "bad.csv").write_text(f"path,reason\n{root / 'train' / 'a.png'},dark\n")
    train, val = build_pictures(data_of(root, quarantine=str(root / "bad.csv")), masks=False)
    assert [record.video_id for record in train.records] == ["b.png", "c.png"]
    assert train.objects_of(train.pictures[0]).labels.tolist() == [1, 1]
    assert len(val.records) == 3


def test_warnings_go_to_the_log_and_all_faults_into_one_error(tmp_path, caplog):
    root = write_coco(tmp_path)
    shutil.copy(root / "train" / "a.png", root / "val" / "a.png")
    with caplog.at_level(logging.WARNING):
        build_pictures(data_of(root), masks=True)
    assert "1 of 3 train pictures have no object" in caplog.text
    assert "1 of 3 val pictures are copies of train pictures" in caplog.text
    bare = [{k: v for k, v in row.items() if k != "segmentation"} for row in DOCUMENT["annotations"]]
    names = [{"id": 90, "name": "pear"}, {"id": 3, "name": "fig"}]
    write_coco(tmp_path / "bad", documents={"train": document(annotations=bare), "val": document(categories=names)})
    with pytest.raises(ManifestError, match=r"data=coco is not usable, 2 fault(.|\n)*no segmentation(.|\n)*'apple'"):
        build_pictures(data_of(tmp_path / "bad"), masks=True)


def test_findings_are_of_the_annotations_or_of_the_files(tmp_path):
    root = write_coco(tmp_path)
    (root / "train" / "b.png").unlink()
    (root / "train" / "c.png").write_bytes(b"text")
    both = read_pictures(data_of(root), ("train", "val"))
    about = annotation_findings(both, masks=False)
    assert about.warnings[0].startswith("train: 1 of 3 pictures are not in")
    assert not about.faults
    (told,) = file_findings(both).warnings  # of b.png, the annotations have told
    assert "1 of 2 train pictures that were looked at can't be read" in told
    assert "b.png" not in told
    assert not file_findings({"val": both["val"]}).warnings


def test_a_layout_without_boxes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="data.source=image_folder has no boxes.*data=coco, data=coco_folders"):
        read_pictures({"source": "image_folder", "root": str(tmp_path)}, ("train",))


def test_classes_of_a_checkpoint_are_held_to(tmp_path):
    data = data_of(write_coco(tmp_path))
    assert read_pictures(data, ("val",), classes=("pear", "apple"))["val"].classes == ("pear", "apple")
    with pytest.raises(ManifestError, match="the model alone has 'fig'"):
        read_pictures(data, ("val",), classes=("pear", "fig"))
    assert json.loads((tmp_path / "annotations/instances_val.json").read_text()) == DOCUMENT
