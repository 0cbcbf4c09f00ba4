import json

import pytest

from stvit_video.pages.run_folder import read_run_files


def write(folder, result):
    (folder / "result.json").write_text(json.dumps(result))


def test_files_of_an_earlier_evaluation_are_left_alone(tmp_path):
    write(tmp_path, {"training": {}})
    (tmp_path / "predictions.csv").write_text('video,error\n"a, b.mp4",\n')
    (tmp_path / "per_class.csv").write_text("class,AP\nx,0.5\n")
    (tmp_path / "config.yaml").write_text("run: ü\n", encoding="utf-8")
    (tmp_path / "metrics.csv").touch()
    (tmp_path / "old.png").touch()
    (tmp_path / "new.png").touch()
    files = read_run_files(tmp_path, written=["result.json", "per_class.csv", "new.png", "not_there.png"])
    assert (files.predictions, files.per_class) == ((), ({"class": "x", "AP": "0.5"},))
    assert (files.pictures, files.config, files.is_training) == (("new.png",), "run: ü\n", True)
    assert files.metrics == tmp_path / "metrics.csv"
    files = read_run_files(tmp_path, written=["predictions.csv"])
    assert files.predictions == ({"video": "a, b.mp4", "error": ""},)


def test_classes_of_which_result_json_tells(tmp_path):
    write(tmp_path, {"per_class": {"run": {"steps": 3, "recall": 0.25, "delay": None}}})
    files = read_run_files(tmp_path, written=["result.json"])
    assert files.per_class == ({"class": "run", "steps": "3", "recall": "0.250000", "delay": ""},)
    assert (files.metrics, files.config, files.is_training) == (None, "", False)


@pytest.mark.parametrize(
    ("result", "video", "unit"),
    [
        ({"num_pictures_used": 3}, "", "pictures"),
        ({"preprocessing": {"num_frames": 1}}, "a/b.PNG", "pictures"),
        ({"preprocessing": {"num_frames": 1}}, "a/b.mp4", "videos"),
        ({"preprocessing": {"num_frames": 1}}, "", "videos"),  # nothing says that they are pictures
        ({"preprocessing": {"num_frames": 8}}, "a/b.png", "videos"),
        ({}, "a/b.mp4", "videos"),
    ],
)
def test_what_was_evaluated(tmp_path, result, video, unit):
    write(tmp_path, result)
    (tmp_path / "predictions.csv").write_text(f"video,error\n{video},\n")
    assert read_run_files(tmp_path, written=["predictions.csv"] if video else []).unit == unit


def test_a_damaged_result(tmp_path):
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(ValueError, match="line 1"):
        read_run_files(tmp_path, written=[])
