import shutil

import pytest
from coco_maker import content, write_coco, write_pictures
from picture_maker import pack

from stvit_video.data.layouts.coco import find_coco, find_coco_folders
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.faults import ManifestError


def names_and_sizes(pictures):
    found = []
    for record in pictures.pictures:
        with open_image(record) as picture:
            found.append((record.video_id, picture.height, picture.width))
    return found


READ = [("a.png", 60, 91), ("b.png", 75, 40), ("c.png", 50, 50)]


def place(root, written, folder, *, lists=True):
    """A part under other names."""
    (root / written).parent.mkdir(parents=True, exist_ok=True)
    if lists:
        (root / written).write_bytes(content())
    write_pictures(root / folder)
    return root


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("annotations/instances_val2017.json", "val2017"),
        ("annotations/instances_val2014.json", "val2014"),
        ("annotations/instances_val2017.json", "images/val"),
        ("annotations/instances_val.json", "val"),
        ("annotations/val.json", "images"),
        ("valid/_annotations.coco.json", "valid"),
        ("val.json", ""),
    ],
)
@pytest.mark.parametrize("packed", ["", "whole", "below"])
def test_published_names_are_found_on_disk_and_in_archives(tmp_path, written, folder, packed):
    root = place(tmp_path / "set", written, folder)
    if packed:
        root = pack(root, tmp_path / "set.zip", below="top/" if packed == "below" else "")
    pictures = find_coco("val", known_classes=None, root=str(root))()
    assert names_and_sizes(pictures) == READ
    with pytest.raises(ManifestError, match=r"no train annotations .*instances_train2017.json.*data.train_json="):
        find_coco("train", known_classes=None, root=str(root))


def test_the_archives_that_coco_publishes_may_stay_unopened(tmp_path):
    place(tmp_path / "lists", "annotations/instances_val2017.json", "")
    place(tmp_path / "pictures", "", "val2017", lists=False)
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / "lists" / name).unlink()
    root = tmp_path / "coco"
    root.mkdir()
    pack(tmp_path / "lists", root / "annotations_trainval2017.zip")
    pack(tmp_path / "pictures", root / "val2017.zip")
    pictures = find_coco("val", known_classes=None, root=str(root))()
    assert names_and_sizes(pictures) == READ
    assert {record.path.name for record in pictures.records} == {"val2017.zip"}


def test_any_file_and_folder_are_read(tmp_path):
    root = write_coco(tmp_path / "set")
    shutil.move(root / "annotations/instances_train.json", tmp_path / "mine.json")
    given = {"train_json": str(tmp_path / "mine.json"), "train_images": str(root / "train")}
    pictures = find_coco_folders("train", known_classes=None, **given)()
    assert names_and_sizes(pictures) == READ
    given["train_images"] = str(pack(root / "train", tmp_path / "train.zip"))
    assert names_and_sizes(find_coco_folders("train", known_classes=None, **given)()) == READ


def test_pictures_lie_beside_the_file_where_no_folder_is_given(tmp_path):
    write_pictures(tmp_path)
    (tmp_path / "v.json").write_bytes(content())
    assert names_and_sizes(find_coco_folders("val", known_classes=None, val_json=str(tmp_path / "v.json"))()) == READ


def test_missing_settings_and_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"data.source=coco needs data.root"):
        find_coco("train", known_classes=None)
    with pytest.raises(ValueError, match=r"coco_folders needs data.train_json"):
        find_coco_folders("train", known_classes=None, val_json="x")
    with pytest.raises(ManifestError, match=r"data.val_json: there is no "):
        find_coco_folders("val", known_classes=None, val_json=str(tmp_path / "none.json"))
    with pytest.raises(ManifestError, match=r"data.val_json=.* is a folder"):
        find_coco_folders("val", known_classes=None, val_json=str(tmp_path))
