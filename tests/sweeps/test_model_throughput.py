"""Speeds measured anew, over runs whose checkpoint is a real one."""

import json
import shutil

import pytest

from stvit_video.inference.cost import measure_cost
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.sweep import main
from stvit_video.sweeps import model_throughput
from stvit_video.sweeps.model_throughput import checkpoint_of, measure_again
from stvit_video.sweeps.report.points import Run, read_run


@pytest.fixture
def sweep(tmp_path, tiny_run):
    """Folder of a sweep: 0 is a training with 4 tokens, 1 an evaluation of the same checkpoint with 2, of 2 frames."""
    for name, num_frames in (("0", 4), ("1", 2)):
        (tmp_path / name).mkdir()
        recognizer = load_recognizer(
            tiny_run.checkpoint, num_frames=num_frames, num_tokens=[1, 1, 2] if name == "1" else None
        )
        facts = {"model": recognizer.model_name, "top1": 0.5, "preprocessing": recognizer.preprocessing.to_dict()}
        facts |= {
            "token_grid": list(recognizer.model.token_grid.sizes),
            "num_tokens": recognizer.model.token_grid.count,
        }
        facts |= measure_cost(recognizer) | {"inference_clips_per_second": 1e-6}
        facts |= {"checkpoint": "best"} if name == "0" else {"ckpt_path": str(tiny_run.checkpoint)}
        (tmp_path / name / "result.json").write_text(json.dumps(facts))
    shutil.copy(tiny_run.checkpoint, tmp_path / "0" / "best.ckpt")
    return tmp_path


def test_each_run_is_measured_as_it_was_evaluated_in_turn_and_the_fastest_counts(sweep, monkeypatch):
    seen, speeds = [], iter([8.5, 4.0, 6.0, 9.5, 7.0, 5.0])

    def measure(recognizer):
        seen.append((recognizer.model.token_grid.count, recognizer.preprocessing.num_frames))
        return next(speeds)

    monkeypatch.setattr(model_throughput, "measure_speed", measure)
    runs, told = [read_run(sweep / name, ()) for name in "01"], []
    measured = measure_again(sweep, runs, tell=told.append)
    assert seen == [(runs[0].result["num_tokens"], 4), (2, 2)] * 3
    assert told == ["0: 8.5 clips/s (slowest of 3 rounds 6.0)", "1: 9.5 clips/s (slowest of 3 rounds 4.0)"]
    for run, speed in zip(measured, (8.5, 9.5), strict=True):
        assert run.result == read_run(sweep / run.name, ()).result
        assert run.result["inference_clips_per_second"] == speed
        assert run.result["speed_measured"]["hardware"]


def test_a_detector_is_measured_on_pictures_of_its_evaluation(tiny_detector, tmp_path, monkeypatch):
    shutil.copytree(tiny_detector.folder, tmp_path / "0")
    seen, speeds = [], iter([8.5, 4.0, 6.0])

    def measure(detector, *, picture_size):
        seen.append((detector.sizes.short_side, detector.sizes.long_side, picture_size))
        return next(speeds)

    monkeypatch.setattr(model_throughput, "measure_detector_speed", measure)
    told = []
    (measured,) = measure_again(tmp_path, [read_run(tmp_path / "0", ())], tell=told.append)
    assert seen == [(48, 64, (64, 64))] * 3
    assert told == ["0: 8.5 pictures/s (slowest of 3 rounds 4.0)"]
    assert measured.result["inference_pictures_per_second"] == 8.5
    assert read_run(tmp_path / "0", ()).result["slowest_pictures_per_second"] == 4.0


def test_a_segmenter_is_measured_by_the_windows_of_its_evaluation(tiny_segmenter, tmp_path, monkeypatch):
    for name, window in (("0", None), ("1", 32)):
        shutil.copytree(tiny_segmenter.folder, tmp_path / name)
        result = json.loads((tmp_path / name / "result.json").read_text())
        result["segmenter"]["options"]["window"] = window
        (tmp_path / name / "result.json").write_text(json.dumps(result))
    seen, speeds = [], iter([8.5, 2.5, 4.0, 3.5, 6.0, 1.5])

    def measure(segmenter, *, picture_size):
        seen.append((segmenter.sizes.short_side, segmenter.model.options.window, picture_size))
        return next(speeds)

    monkeypatch.setattr(model_throughput, "measure_segmenter_speed", measure)
    told = []
    runs = [read_run(tmp_path / name, ()) for name in "01"]
    measure_again(tmp_path, runs, tell=told.append)
    assert seen == [(48, None, (64, 64)), (48, 32, (64, 64))] * 3
    assert told[1] == "1: 3.5 pictures/s (slowest of 3 rounds 1.5)"


def test_the_command_measures_and_warns_no_more(sweep, capsys):
    assert main([str(sweep)]) == 0
    assert "clips/s of 2 of 2 runs was measured once" in capsys.readouterr().out
    assert main([str(sweep), "--measure"]) == 0
    assert "measured once" not in capsys.readouterr().out
    assert read_run(sweep / "1", ()).result["inference_clips_per_second"] > 1e-3


def test_a_checkpoint_that_is_gone_is_named(sweep, capsys):
    (sweep / "0" / "best.ckpt").unlink()
    assert main([str(sweep), "--measure"]) == 2
    assert str(sweep / "0" / "best.ckpt") in capsys.readouterr().err


def test_the_checkpoint_of_a_result(tmp_path):
    assert checkpoint_of(tmp_path, Run("3", (), {"checkpoint": "last"})) == tmp_path / "last.ckpt"
    assert str(checkpoint_of(tmp_path, Run("3", (), {"ckpt_path": "a/b.ckpt"}))) == "a/b.ckpt"
