import pytest

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.factories.layout_settings import foreign_faults, layout_settings, other_layouts_settings, path_names
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.reading import default_values


@pytest.mark.parametrize("source", LAYOUTS)
def test_settings_of_a_layout_are_its_own(source):
    names = set(layout_settings(source).model_fields)
    assert "root" in names
    assert not names & ({"part", "known_classes"} | set(ClipSettings.model_fields))


def test_a_reader_of_its_own_has_settings_too():
    values = default_values(layout_settings("pytorchvideo"))
    expected = {"clip_sampler": "random", "clip_seconds": None, "clips_per_video": 10, "decoder": "pyav"}
    assert {name: values[name] for name in expected} == expected


def test_pictures_with_boxes_have_settings_besides():
    values = default_values(layout_settings("voc_boxes"))
    assert values == {
        **{"root": None, "train_set": "train", "val_set": "val"},
        **{"long_side": 1333, "antialias": True, "drop_empty": False, "max_objects": 1000},
        **{"sequences": "listed", "clip_frames": 1, "clip_stride": 1},
    }


def test_paths_are_known_by_their_type():
    expected = {"train", "val", "train_videos", "val_videos", "lists", "videos", "shards", "val_shards", "classes"}
    expected |= {"train_json", "train_images", "val_json", "val_images", "train_maps", "val_maps", "palette"}
    assert set(path_names()) == expected | {"quarantine"}


def test_what_other_layouts_take_is_refused_where_it_is_given():
    data = {"source": "csv", "train": "a.csv", "split": 2, "missing": "error", "videos": None, "batch_size": 3}
    assert other_layouts_settings(data) == {"split": ["hmdb51", "pytorchvideo", "ucf101"]}
    assert foreign_faults(data) == [
        "data.split is for data=hmdb51, pytorchvideo, ucf101, not for data.source=csv, which takes train, val, root, "
        "fold_column, fold, label_separator; leave data.split out"
    ]
    assert foreign_faults({"source": "ucf101", "split": 2}) == []
