"""Many videos: each once and in order, whatever befalls the processes that decode them."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.data import get_worker_info

from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.inference import predicting
from stvit_video.inference.file_record import file_record
from stvit_video.inference.predicting import FeaturesAndLogits, predict_records
from stvit_video.inference.recognizer import load_recognizer


@pytest.fixture
def trained(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu")


@pytest.fixture
def records(trained, tiny_run):
    """Seven records, the same three videos again and again."""
    return [replace(file_record(tiny_run.videos[n % 3], num_frames=4), video_id=str(n)) for n in range(7)]


def figures(predictions):
    return [(one.file, one.labels, np.round(one.probabilities, 5).tolist(), one.error) for one in predictions]


@pytest.mark.parametrize(("num_workers", "batch_size"), [(0, None), (0, 3), (2, 1), (2, 3), (3, 20)])
def test_batches_and_processes_change_nothing(trained, records, num_workers, batch_size):
    alone = [trained(record.path) for record in records]
    told = list(predict_records(trained, records, num_workers=num_workers, batch_size=batch_size))
    assert figures(told) == figures(alone)
    assert [one.seconds for one in told] == pytest.approx([2.5] * 7)


def test_no_record_no_prediction(trained):
    assert list(predict_records(trained, [], num_workers=2)) == []


def test_segments_are_told_by_themselves(trained, tiny_run):
    whole = file_record(tiny_run.videos[0], num_frames=4)
    parts = [replace(whole, start_seconds=0.0, end_seconds=1.0), replace(whole, start_seconds=1.0), whole]
    told = list(predict_records(trained, parts, features=True))
    assert [one.seconds for one in told] == pytest.approx([1.0, 1.5, 2.5])
    assert len({one.features.tobytes() for one in told}) == 3


def test_features_are_the_mean_over_the_views(trained, records):
    for told, record in zip(predict_records(trained, records, features=True, batch_size=2), records, strict=True):
        np.testing.assert_allclose(told.features, trained.features(record.path).mean(0), rtol=1e-5, atol=1e-6)


def test_features_and_logits_side_by_side(tiny_run):
    clip = torch.randn(2, 3, 4, 16, 16)
    with torch.no_grad():
        both = FeaturesAndLogits(tiny_run.model)(clip)
        torch.testing.assert_close(both[:, :8], tiny_run.model.forward_features(clip))
        torch.testing.assert_close(both[:, 8:], tiny_run.model(clip))


def test_broken_files_are_told_in_their_place(trained, records, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    records[1] = file_record(tmp_path / "broken.mp4", num_frames=4)
    records[6] = file_record(tmp_path / "absent.mp4", num_frames=4)
    told = list(predict_records(trained, records, num_workers=2, batch_size=2))
    assert [one.file for one in told] == [record.path for record in records]
    assert [number for number, one in enumerate(told) if one.error is not None] == [1, 6]
    assert "broken.mp4" in told[1].error
    assert told[1].labels == ()


def test_a_video_without_finite_logits_is_told_alone(trained, records, monkeypatch):
    real = trained.model.forward_head
    bad = torch.from_numpy(trained.features(records[1].path))

    def head(features):
        logits = real(features)
        is_bad = torch.tensor([bool(torch.isclose(row, bad, atol=1e-5).all(-1).any()) for row in features])
        return logits.masked_fill(is_bad[:, None], float("nan"))

    monkeypatch.setattr(trained.model, "forward_head", head)
    told = list(predict_records(trained, records[:4], batch_size=4))
    assert [one.error is None for one in told] == [True, False, True, True]
    assert "NaN" in told[1].error


class Crashing:
    """Reads as always, but takes its process down at some videos: always, or but in a process of the decoder's own."""

    def __init__(self, monkeypatch, *, names, also_apart=()):
        real = FrameSource.read

        def read(source, record, choose):
            fatal = also_apart if source.backend == "isolated" else names
            if get_worker_info() is not None and record.video_id in fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(source, record, choose)

        monkeypatch.setattr(FrameSource, "read", read)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_video_that_takes_its_process_down_is_read_apart(trained, records, monkeypatch, batch_size):
    alone = [trained(record.path) for record in records]
    Crashing(monkeypatch, names=("0", "3", "6"))
    told = list(predict_records(trained, records, num_workers=2, batch_size=batch_size))
    assert figures(told) == figures(alone)


def test_a_video_that_takes_down_two_processes_is_told(trained, records, monkeypatch):
    alone = figures([trained(record.path) for record in records])
    Crashing(monkeypatch, names=("0", "4", "6"), also_apart=("0", "4", "6"))
    told = list(predict_records(trained, records, num_workers=2, batch_size=2))
    assert [number for number, one in enumerate(told) if one.error is not None] == [0, 4, 6]
    assert records[4].path.name in told[4].error
    assert [figures(told)[number] for number in (1, 2, 3, 5)] == [alone[number] for number in (1, 2, 3, 5)]


def test_a_process_that_is_lost_elsewhere_does_not_end_the_code_that_uses_the_predictions(
    trained, records, monkeypatch
):
    """torch tells a lost process by an exception in whatever code runs; here that code is the user's."""
    Crashing(monkeypatch, names=("5",))
    told = []
    for one in predict_records(trained, records, num_workers=2, batch_size=1):
        told.append(one)
        if len(told) == 1:  # the loader reads ahead meanwhile, and loses a process
            ended = signal.sigtimedwait({signal.SIGUSR2}, 2.0)  # sleeps, and wakes for handlers
            assert ended is None
    assert [one.error for one in told] == [None] * 7


@pytest.mark.parametrize(("is_lost", "num_tries"), [(True, 3), (False, 1)])
def test_processes_that_are_ended_at_no_video_end_the_run_in_the_end(trained, records, monkeypatch, is_lost, num_tries):
    tries = []

    class Lost(VideoLoader):
        def __iter__(self):
            tries.append(1)
            raise WorkerCrashError("a loader process was ended", is_lost=is_lost)

    monkeypatch.setattr(predicting, "VideoLoader", Lost)
    with pytest.raises(WorkerCrashError, match="was ended"):
        list(predict_records(trained, records, num_workers=2))
    assert len(tries) == num_tries


def test_a_process_that_is_lost_while_it_runs_the_model_costs_nothing(trained, records, monkeypatch, tmp_path):
    alone = [trained(record.path) for record in records]
    real, once = trained.model.forward_features, tmp_path / "once"

    def forward(clip):
        if get_worker_info() is not None and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(clip)

    monkeypatch.setattr(trained.model, "forward_features", forward)
    told = list(predict_records(trained, records, num_workers=2, batch_size=2))
    assert once.exists()
    assert figures(told) == figures(alone)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_workers": -1}, "num_workers=-1 .*at least 0"),
        ({"batch_size": 0}, "batch_size=0 .*at least 1"),
        ({"top_k": 0}, "top_k=0 .*at least 1"),
        ({"threshold": 0.5}, "threshold=0.5 .*one each; .*top_k"),
        ({"time_limit_seconds": 0}, "time_limit_seconds=0 .*positive"),
    ],
)
def test_wrong_settings_are_told_at_once(trained, records, settings, words):
    with pytest.raises(ValueError, match=words):
        predict_records(trained, records, **settings)


def test_a_threshold_is_checked_for_several_labels(trained):
    with pytest.raises(ValueError, match="threshold=1.5 .*between 0 and 1"):
        predict_records(replace(trained, multi_label=True), [], threshold=1.5)
