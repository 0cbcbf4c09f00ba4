import json

import pytest

from stvit_video.data.synthetic.drawn_set import DrawnSet, picture_name, write_drawn_set


def settings(**changes):
    values = {"num_train": 3, "num_val": 2, "image_size": 40, "seed": 0}
    folders = {"train": ("train", "more/train"), "val": ("val", "more/val")}
    return DrawnSet(**({"kind": "test", "version": 1, "classes": ("a",), "folders": folders} | values | changes))


class Writer:
    """Writes empty files and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, root, given):
        self.times += 1
        for part in ("train", "val"):
            for folder in given.folders[part]:
                assert not list((root / folder).iterdir())
                for number in range(given.count(part)):
                    (root / folder / picture_name(number)).touch()


def test_a_set_is_made_once_and_anew_where_a_file_is_missing_or_a_setting_differs(tmp_path):
    write = Writer()
    for _ in range(2):
        assert write_drawn_set(tmp_path / "set", settings(), write) == tmp_path / "set"
    assert write.times == 1
    (tmp_path / "set" / "more" / "val" / picture_name(1)).unlink()
    write_drawn_set(tmp_path / "set", settings(), write)
    assert write.times == 2
    write_drawn_set(tmp_path / "set", settings(seed=1), write)
    assert write.times == 3
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["seed"] == 1


def test_an_interrupted_set_is_made_anew(tmp_path):
    def stop(root, given):
        (root / "train" / picture_name(0)).touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_drawn_set(tmp_path / "set", settings(), stop)
    write = Writer()
    write_drawn_set(tmp_path / "set", settings(), write)
    assert write.times == 1


def test_files_of_others_stay_and_foreign_folders_are_refused(tmp_path):
    write_drawn_set(tmp_path / "set", settings(), Writer())
    (tmp_path / "set" / "notes").mkdir()
    write_drawn_set(tmp_path / "set", settings(seed=1), Writer())
    assert (tmp_path / "set" / "notes").is_dir()
    with pytest.raises(ValueError, match="another embedded data set"):
        write_drawn_set(tmp_path / "set", settings(kind="other"), Writer())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").touch()
    with pytest.raises(ValueError, match="holds photo.png"):
        write_drawn_set(tmp_path / "mine", settings(), Writer())


@pytest.mark.parametrize("wrong", [{"num_val": 0}, {"image_size": 31}, {"seed": -1}])
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match="=".join(map(str, next(iter(wrong.items()))))):
        settings(**wrong)
