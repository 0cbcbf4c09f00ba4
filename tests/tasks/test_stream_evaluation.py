"""An untrained checkpoint on labelled recordings, through the settings of the command."""

import csv
import json

import numpy as np
import pytest
import torch

from stvit_video.data.decode import open_video
from stvit_video.data.loading.central_view import central_view
from stvit_video.data.transforms.functional import finish_clips
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.streaming.step_table import read_steps
from stvit_video.sweeps.report.points import read_run
from stvit_video.tasks.classification import Classification
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.tasks.stream_evaluation import evaluate_streams

# two videos of 2.5 s at 10 frames a second
SEGMENTS = (
    ("a, b.mp4", "jump", 0.0, 1.0),
    ("a, b.mp4", "run", 1.0, 2.0),
    ("c d.mp4", "a, comma", 0.5, 1.5),
    ("c d.mp4", "run", 1.8, 2.5),
)


@pytest.fixture(scope="module")
def segments(tiny_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / "segments.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "start_seconds", "end_seconds"), *SEGMENTS])
    return path


def settings_of(tiny_run, segments, **more):
    data = {"source": "csv", "val": str(segments), "root": str(tiny_run.manifest.parent)}
    given = {"ckpt_path": str(tiny_run.checkpoint), "device": "cpu", "stream": True, "stride_frames": 2, "data": data}
    events = {"smoothing_seconds": 0.0, "enter": 0.34, "leave": 0.34, "min_seconds": 0.0}
    return read_evaluation(EvaluateSettings, given | {"events": events} | more)


def test_what_is_written_is_what_the_steps_say(tiny_run, segments, tmp_path, capsys):
    summary = evaluate_streams(settings_of(tiny_run, segments), output_dir=tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    classes, steps = read_steps(tmp_path / "steps.csv")
    assert classes == load_recognizer(tiny_run.checkpoint, device="cpu").classes
    right, counted = 0, 0
    for step in steps:
        for path, label, start, end in SEGMENTS:
            if step.path == path and start <= step.seconds < end:
                counted += 1
                right += classes[step.probabilities.argmax()] == label
    assert counted > 5
    assert (summary["num_steps"], summary["frame_accuracy"]) == (counted, right / counted)
    assert (summary["num_videos_used"], summary["num_videos_listed"], summary["errors"]) == (2, 2, {})
    assert summary["majority_class"]["label"] == "run"
    assert summary["majority_class"]["frame_accuracy"] == summary["per_class"]["run"]["steps"] / counted
    assert summary["labelled_seconds"] == pytest.approx(1.0 + 1.0 + 1.0 + 0.7)
    assert summary["preprocessing"]["num_frames"] == 4
    assert read_run(tmp_path, ()).result == summary  # so that a sweep can report it
    with (tmp_path / "segments.csv").open(newline="") as file:
        assert [(row["path"], row["label"]) for row in csv.DictReader(file)] == [one[:2] for one in SEGMENTS]
    with (tmp_path / "events.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) >= 2
    assert (tmp_path / "confusion_matrix.png").is_file()
    out = capsys.readouterr().out
    assert summary["result"] in out
    assert "always 'run'" in out
    assert "left out" in out


def test_a_step_has_the_probabilities_of_the_model_on_its_window(tiny_run, segments, tmp_path):
    """Windows of 4 frames at stride 2 that end with frame 6, 10, 14, ..."""
    evaluate_streams(settings_of(tiny_run, segments), output_dir=tmp_path / "reused")
    evaluate_streams(settings_of(tiny_run, segments, recompute=True), output_dir=tmp_path / "anew")
    (_, reused), (_, anew) = (read_steps(tmp_path / name / "steps.csv") for name in ("reused", "anew"))
    assert [step.seconds for step in reused] == [step.seconds for step in anew]
    np.testing.assert_allclose(
        [step.probabilities for step in reused], [step.probabilities for step in anew], atol=1e-5
    )
    assert [step.seconds for step in reused if step.path == "c d.mp4"] == pytest.approx([0.6, 1.0, 1.4, 1.8, 2.2])
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", protocol="single")
    frames = open_video(tiny_run.manifest.parent / "c d.mp4").read([8, 10, 12, 14])
    clip = central_view(torch.as_tensor(np.asarray(frames)), recognizer.preprocessing).movedim(0, 1)[None]
    with torch.inference_mode():
        expected = recognizer.model(finish_clips(clip, recognizer.preprocessing)).softmax(-1)[0]
    step = next(one for one in reused if one.path == "c d.mp4" and abs(one.seconds - 1.4) < 1e-6)
    np.testing.assert_allclose(step.probabilities, expected, atol=2e-3)


def test_a_file_that_is_not_there_is_named_and_counted(tiny_run, segments, tmp_path, capsys):
    listed = tmp_path / "more.csv"
    absent = tiny_run.manifest.parent / "broken.mp4"
    absent.write_bytes(b"nothing")
    listed.write_text(segments.read_text() + "broken.mp4,run,0.0,1.0\n")
    summary = evaluate_streams(settings_of(tiny_run, listed), output_dir=tmp_path)
    assert (summary["num_videos_used"], summary["num_videos_listed"]) == (2, 3)
    assert list(summary["errors"]) == ["broken.mp4"]
    assert "2 of 3 videos" in summary["result"]
    told = capsys.readouterr().err
    assert told.startswith("1 of 3 videos could not be read:\n")
    assert "result.json names each, in errors" in told
    absent.unlink()


def test_settings_change_the_scores_and_stand_in_the_result(tiny_run, segments, tmp_path):
    more = {"tolerance_seconds": 0.3, "label_at": "centre", "precision": "bf16", "target_fps": 10.0}
    summary = evaluate_streams(settings_of(tiny_run, segments, **more), output_dir=tmp_path)
    assert {name: summary[name] for name in more} == more
    assert summary["num_steps_near_boundary"] > 0
    assert "at 10 frames a second, an answer every 2, label at the centre, tolerance 0.3 s" in summary["result"]


def test_a_model_that_can_not_be_streamed_needs_recompute(segments, tmp_path, tiny_run):
    content = torch.load(tiny_run.checkpoint, weights_only=True)
    content["stvit_video"]["preprocessing"]["frame_difference"] = True
    mixed = tmp_path / "mixed.ckpt"
    torch.save(content, mixed)
    given = {"ckpt_path": str(mixed)}
    with pytest.raises(ValueError, match="data.frame_difference.*base_attention='frame'.*or add recompute=true"):
        evaluate_streams(settings_of(tiny_run, segments, **given), output_dir=tmp_path)
    summary = evaluate_streams(settings_of(tiny_run, segments, recompute=True, **given), output_dir=tmp_path)
    assert summary["num_steps"] > 5
    assert "windows computed anew" in summary["result"]


def test_the_task_takes_settings_of_clips_or_of_streams(tiny_run, segments, tmp_path):
    given = settings_of(tiny_run, segments).plain()
    assert Classification().evaluate(given, tmp_path)["num_videos_used"] == 2
    with pytest.raises(ValueError, match="^num_clips=4 is for clips"):
        Classification().evaluate(given | {"num_clips": 4}, tmp_path)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"stride_frames": 3}, "stride_frames=3 is no multiple"),
        ({"events": {"enter": 0.3}}, "leave=0.4 is above enter=0.3"),
    ],
)
def test_settings_that_do_not_fit(tiny_run, segments, tmp_path, more, message):
    with pytest.raises(ValueError, match=message):
        evaluate_streams(settings_of(tiny_run, segments, **more), output_dir=tmp_path)
