import pytest
from list_maker import touch

from stvit_video.data.layouts.class_folders import read_folder_manifest
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.manifests.faults import UnknownLabelError


def undivided(folder, part="val", *, classes=None, by="name"):
    return Undivided(part, folder, read_folder_manifest, classes, fraction=0.25, by=by)


def test_parts_by_names_make_up_the_whole(tmp_path):
    touch(tmp_path, *(f"{label}/{number}.mp4" for label in ("run", "jump") for number in range(11)))
    train, val = (undivided(tmp_path, part)() for part in ("train", "val"))
    assert {*train.records}.isdisjoint(val.records)
    assert {*train.records, *val.records} == {*undivided(tmp_path).read_all().records}
    assert 2 <= len(val.records) < 11


def test_named_videos_need_not_be_there(tmp_path):
    touch(tmp_path, "run/a.mp4", "jump/a.mp4")
    manifest = undivided(tmp_path, classes=("jump", "lie", "run")).read_named(["run/gone.mp4", "jump/a.mp4"])
    assert [(record.path, record.label) for record in manifest.records] == [
        (tmp_path / "run/gone.mp4", 2),
        (tmp_path / "jump/a.mp4", 0),
    ]
    assert undivided(tmp_path).read_named(["run/a.mp4"], classes=("run", "sit")).classes == ("run", "sit")
    with pytest.raises(UnknownLabelError, match="label 'run'"):
        undivided(tmp_path, classes=("jump",)).read_named(["run/a.mp4"])
