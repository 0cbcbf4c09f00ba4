"""A checkpoint on the page gives the labels of `Recognizer`, at every place of the sliders."""

import io
import re
import warnings

import av
import pytest
from elastic_run import CLASSES

from stvit_video.data.decoding.request import DecodeTimeoutError
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.webdemo import checkpoint_model
from stvit_video.webdemo.checkpoint_model import CheckpointModel
from stvit_video.webdemo.clip_limits import RefusedError
from stvit_video.webdemo.demo_model import TokenChoice, UnreadableError
from stvit_video.webdemo.reading_budget import ReadingBudget


@pytest.fixture(scope="module")
def shown(elastic_run):
    return CheckpointModel(elastic_run.load(), name=str(elastic_run.checkpoint))


def test_what_it_says_of_itself(shown, elastic_run):
    assert shown.name == f"{elastic_run.checkpoint.parent.name}/best.ckpt"
    assert tuple(shown.labels) == CLASSES
    assert shown.about.startswith("stvit_video_deit_tiny, 4 semantic tokens, 3 labels, ")
    assert (shown.token_steps.trained, shown.place_steps.trained, shown.why_fixed) == ((2, 4), (1, 2), "")


@pytest.mark.parametrize("choice", [TokenChoice(), TokenChoice(2, 1), TokenChoice(4, 2)])
def test_labels_and_costs_of_a_choice(shown, elastic_run, tiny_run, choice):
    expected = load_recognizer(
        elastic_run.checkpoint, device="cpu", num_tokens=choice.num_tokens, generate_at=choice.place
    )(tiny_run.videos[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = shown.label(tiny_run.videos[0], choice, ReadingBudget(60.0))
    assert answer.prediction.labels == expected.labels
    assert answer.prediction.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    facts = dict(answer.facts)
    assert re.fullmatch(r"[\d.]+ ms a clip; [\d.]+ ms for the 6 views", facts["latency"])
    assert "GMACs a clip" in facts["multiply-adds"]


def test_fewer_tokens_cost_less(shown, tiny_run):
    answers = [
        shown.label(tiny_run.videos[0], TokenChoice(*choice), ReadingBudget(60.0))
        for choice in ((2, 1), (4, 1), (4, 2))
    ]
    costs = [float(re.match(r"[\d.e-]+", dict(answer.facts)["multiply-adds"])[0]) for answer in answers]
    assert costs == sorted(costs)
    assert len(set(costs)) == 3


def test_tokens_are_a_video_that_browsers_play(shown, tiny_run, tmp_path):
    tokens = shown.show_tokens(tiny_run.videos[0], TokenChoice(2, 1), tmp_path, ReadingBudget(60.0))
    with av.open(io.BytesIO(tokens.mp4)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert tokens.caption.startswith("What each of 2 tokens has seen in ")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_is_read_once_for_all_places_of_the_sliders(shown, tiny_run, tmp_path, monkeypatch):
    video = tiny_run.videos[2]
    first = shown.label(video, TokenChoice(4, 1), ReadingBudget(60.0))
    shown.show_tokens(video, TokenChoice(4, 1), tmp_path, ReadingBudget(60.0))
    monkeypatch.setattr(checkpoint_model, "model_input", None)
    monkeypatch.setattr(checkpoint_model, "file_windows", None)
    again = shown.label(video, TokenChoice(4, 1), ReadingBudget(0.0))
    assert again.prediction.probabilities == first.prediction.probabilities
    assert shown.show_tokens(video, TokenChoice(2, 1), tmp_path, ReadingBudget(0.0)).mp4


def test_tokens_are_left_out_for_want_of_time_and_not_tried_again(shown, tiny_run, tmp_path, monkeypatch):
    tries = []

    def late(*words, **settings):
        tries.append(settings["time_limit_seconds"])
        raise DecodeTimeoutError("odd")

    shown.label(tiny_run.videos[1], TokenChoice(2, 1), ReadingBudget(60.0))
    monkeypatch.setattr(checkpoint_model, "file_windows", late)
    for seconds in (0.0, 20.0, 20.0):
        with pytest.raises(RefusedError, match=f"tokens are left out: reading .* longer than the {seconds:g} s"):
            shown.show_tokens(tiny_run.videos[1], TokenChoice(2, 1), tmp_path, ReadingBudget(seconds))
    assert tries == [20.0]


def test_clips_and_choices_that_it_does_not_take(shown, tmp_path, tiny_run):
    path = tmp_path / "a.clip"
    path.write_bytes(b"once upon a time\n" * 9)
    for ask in (shown.label, lambda *words: shown.show_tokens(*words[:2], tmp_path, words[2])):
        with pytest.raises(UnreadableError, match="can't be read") as told:
            ask(path, TokenChoice(2, 1), ReadingBudget(60.0))
        assert str(tmp_path) not in str(told.value)
    with pytest.raises(RefusedError, match="can't run with 1000 tokens"):
        shown.label(tiny_run.videos[0], TokenChoice(1000, 1), ReadingBudget(60.0))
