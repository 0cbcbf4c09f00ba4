from stvit_video.config.layout_options import read_with_layout
from stvit_video.settings.doctor_settings import DoctorSettings
from stvit_video.settings.train_settings import TrainSettings


def read(**data):
    return read_with_layout(TrainSettings, {"model": {"name": "deit_tiny"}, "data": data})


def test_options_of_the_layout_have_defaults_and_types():
    found = read(source="ucf101", split=2, batch_size=3)
    assert (found.wrong, found.unknown) == ({}, ())
    expected = {"root": None, "split": 2, "lists": None, "videos": None, "missing": "error"}
    assert found.settings.data.options == expected
    assert found.settings.data.batch_size == 3
    assert found.settings.plain()["data"] | expected | {"batch_size": 3} == found.settings.plain()["data"]


def test_wrong_and_unknown_options_are_told_beside_the_others():
    found = read(source="ucf101", split="x", missing="skip", splitt=3, batch_size=0)
    assert dict(found.wrong) == {
        "data.batch_size": "data.batch_size=0 must be a whole number at least 1",
        "data.split": "data.split='x' must be one of 1, 2, 3",
        "data.missing": "data.missing='skip' must be one of error, drop, keep",
    }
    assert found.unknown == ("data.splitt",)
    assert (found.settings.data.options["split"], found.settings.data.batch_size) == (1, 8)


def test_options_of_other_layouts_are_kept_where_they_are_given():
    found = read(source="csv", train="a.csv", split=2, missing="error", videos=None)
    assert found.settings.data.options["split"] == 2  # for a check to refuse
    assert "missing" not in found.settings.data.options  # left over from another choice, at its default
    assert "videos" not in found.settings.data.options


def test_a_source_that_is_missing_or_none_is_left_to_other_checks():
    assert list(read(source="???", split=2).wrong) == ["data.source"]
    assert read(source="vhs", tape=2).settings.data.options == {"tape": 2}
    assert list(read_with_layout(TrainSettings, {"data": None}).wrong) == ["model.name", "data.source", "data"]
    assert read_with_layout(DoctorSettings, {"data": {"source": "folder"}}).settings.data.options["root"] is None
