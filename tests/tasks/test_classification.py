import pytest
from detector_run import detector_settings
from settings_checker import all_changed
from tiny_training import settings_for

from stvit_video.config.setting_checks import sound_settings
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.tasks.classification import Classification


@pytest.fixture
def plain(tiny_run):
    return {name: value for name, value in settings_for(tiny_run).items() if name != "sweep"}


def test_sound_settings_have_no_faults_and_become_whole(plain):
    task = Classification()
    read = task.read(plain)
    assert (dict(read.wrong), read.unknown) == ({}, ())
    assert task.faults(read.settings, (), task.parts(read.settings)) == []
    assert task.place_faults(read.settings, ()) == []
    assert task.complete(read.settings).protocol.plain() == {
        "name": "uniform", "num_clips": 1, "num_crops": 1, "average": "prob"
    }  # fmt: skip


def test_faults_of_parts_and_of_places_are_told(plain):
    task = Classification()
    settings = task.read(all_changed(plain, {"data.crop_size": 30, "data.train": "gone.csv"})).settings
    assert "30" in " ".join(task.faults(settings, (), task.parts(sound_settings(settings, ()))))
    assert "gone.csv" in " ".join(task.place_faults(settings, ()))
    assert task.place_faults(settings, ("data.train",)) == []  # what is wrong by itself is told elsewhere


def test_older_metadata_get_the_newer_settings_of_the_preprocessing():
    old = {"num_frames": 4, "frame_stride": 2, "short_side": 20, "crop_size": 16}
    stored = Preprocessing.from_dict(old | {"mean": [0.5] * 3, "std": [0.25] * 3}).to_dict()
    older = {name: value for name, value in stored.items() if name != "static_clip"}
    assert Classification().modern({"preprocessing": older})["preprocessing"] == stored
    assert Classification().modern({"classes": []}) == {"classes": []}


def test_pictures_with_boxes_give_labels_and_that_is_told(shapes, tmp_path, capsys):
    values = detector_settings(shapes, "data.crop_size=32")
    values = {name: value for name, value in values.items() if name not in ("task", "head")}
    own = ("flip_probability",)
    values["augment"] = {name: values["augment"][name] for name in own}
    task = Classification()
    settings = task.read(values).settings
    module, _ = task.build(task.complete(settings), task.parts(settings))
    told = capsys.readouterr().out
    assert told.startswith("task=classification: the labels of a picture are the classes of its objects")
    assert "task=detection" in told
    assert module.metadata["multi_label"]
