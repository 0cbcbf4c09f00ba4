"""A checkpoint on the page gives the labels of `Recognizer`, at every place of the sliders."""

import io
import re
import warnings

import av
import pytest

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.webdemo.checkpoint_model import CheckpointModel
from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError
from stvit_video.webdemo.demo_model import TokenChoice


@pytest.fixture(scope="module")
def shown(elastic_run):
    return CheckpointModel(elastic_run.load(), name=str(elastic_run.checkpoint), limits=ClipLimits())


def test_what_it_says_of_itself(shown, elastic_run):
    assert shown.name == f"{elastic_run.checkpoint.parent.name}/best.ckpt"
    assert shown.about.startswith("stvit_video_deit_tiny, 4 semantic tokens, 3 labels, ")
    assert (shown.token_steps.trained, shown.place_steps.trained, shown.why_fixed) == ((2, 4), (1, 2), "")


@pytest.mark.parametrize("choice", [TokenChoice(), TokenChoice(2, 1), TokenChoice(4, 2)])
def test_labels_and_costs_of_a_choice(shown, elastic_run, tiny_run, choice):
    expected = load_recognizer(
        elastic_run.checkpoint, device="cpu", num_tokens=choice.num_tokens, generate_at=choice.place
    )(tiny_run.videos[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = shown.label(tiny_run.videos[0], choice)
    assert answer.prediction.labels == expected.labels
    assert answer.prediction.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    facts = dict(answer.facts)
    assert re.fullmatch(r"[\d.]+ ms a clip; [\d.]+ ms for the 6 views", facts["latency"])
    assert "GMACs a clip" in facts["multiply-adds"]


def test_fewer_tokens_cost_less(shown, tiny_run):
    answers = [shown.label(tiny_run.videos[0], TokenChoice(*choice)) for choice in ((2, 1), (4, 1), (4, 2))]
    costs = [float(re.match(r"[\d.e-]+", dict(answer.facts)["multiply-adds"])[0]) for answer in answers]
    assert costs == sorted(costs)
    assert len(set(costs)) == 3


def test_tokens_are_a_video_that_browsers_play(shown, tiny_run, tmp_path):
    tokens = shown.show_tokens(tiny_run.videos[0], TokenChoice(2, 1), tmp_path)
    with av.open(io.BytesIO(tokens.mp4)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert tokens.caption.startswith("What each of 2 tokens has seen in ")
    assert list(tmp_path.iterdir()) == []


def test_clips_and_choices_that_it_does_not_take(shown, tmp_path, tiny_run):
    path = tmp_path / "a.clip"
    path.write_bytes(b"once upon a time\n" * 9)
    for ask in (shown.label, lambda *words: shown.show_tokens(*words, tmp_path)):
        with pytest.raises(RefusedError, match="can't be read") as told:
            ask(path, TokenChoice(2, 1))
        assert str(tmp_path) not in str(told.value)
    with pytest.raises(RefusedError, match="can't run with 1000 tokens"):
        shown.label(tiny_run.videos[0], TokenChoice(1000, 1))
