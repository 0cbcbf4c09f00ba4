"""Parts of the page of a model that is made up: what is escaped, what is told of errors, and which clip is whose."""

import re
from base64 import b64decode
from pathlib import Path

import pytest

from stvit_video.inference.prediction import Prediction
from stvit_video.webdemo.answers import FAILED, GONE, DemoAnswers, Said, waiting
from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError
from stvit_video.webdemo.clip_store import ClipStore
from stvit_video.webdemo.demo_model import Answer, ShownTokens, Steps, TokenChoice, UnreadableError
from stvit_video.webdemo.reading_budget import ReadingBudget

BUDGET = ReadingBudget(60.0)


class MadeModel:
    """Says what it was told to say, or raises it."""

    name, about, why_fixed = "a/b.ckpt", "a model", ""
    token_steps = Steps(low=2, high=6, step=2, chosen=4, trained=(2, 6))
    place_steps = None

    def __init__(self):
        self.error = None
        self.asked = []

    def label(self, path, choice, budget):
        self.asked.append((path, choice))
        if self.error:
            raise self.error
        prediction = Prediction(labels=("<b>run</b>", "walk"), probabilities=(0.75, 0.125))
        return Answer(prediction=prediction, facts=[("latency", "1.0 ms a clip")], notes=["a & b"])

    def show_tokens(self, path, choice, folder, budget):
        if self.error:
            raise self.error
        return ShownTokens(mp4=b"\x00video", caption="<i>seen</i>", notes=["look"])


@pytest.fixture
def model():
    return MadeModel()


@pytest.fixture
def answers(model, tmp_path):
    store = ClipStore(tmp_path, keep_seconds=60.0, max_clips=4)
    return DemoAnswers([model], store=store, limits=ClipLimits(max_seconds=10.0))


def sent(answers, content: bytes) -> tuple[str, Path]:
    token, path = answers.store.new()
    path.write_bytes(content)
    return token, path


def test_labels_are_bars_and_nothing_in_them_is_html(answers, model):
    token, path = sent(answers, b"a clip")
    said = answers.label(0, token, TokenChoice(num_tokens=6, place=99), BUDGET)
    assert not said.is_error
    assert model.asked == [(path, TokenChoice(num_tokens=6))]
    for text in ("&lt;b&gt;run&lt;/b&gt;", "75.0 %", "12.5 %", "width: 75.00%", "1.0 ms a clip", "a &amp; b"):
        assert text in said.html
    assert "<b>" not in said.html
    assert re.search(r"semantic tokens</dt><dd[^>]*>6 \(trained for\)<", said.html)


def test_a_value_that_training_has_not_seen_is_marked(answers):
    said = answers.label(0, sent(answers, b"a clip")[0], TokenChoice(num_tokens=4), BUDGET)
    assert "4 (not trained for)<" in said.html
    assert "not trained for this, but for 2, 6: expect worse labels" in said.html


def test_tokens_stand_in_the_page(answers):
    said = answers.show_tokens(0, sent(answers, b"a clip")[0], TokenChoice(num_tokens=2), BUDGET)
    (video,) = re.findall(r'src="data:video/mp4;base64,([^"]*)"', said.html)
    assert b64decode(video) == b"\x00video"
    assert "&lt;i&gt;seen" in said.html


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RefusedError("The clip <is> too long."), "The clip &lt;is&gt; too long."),
        (UnreadableError("The clip <is> odd."), "The clip &lt;is&gt; odd."),
        (ValueError("/secret/place of the server"), FAILED),
        (MemoryError(), FAILED),
    ],
)
def test_errors_are_a_sentence_and_ours_go_to_the_terminal(answers, model, capsys, error, told):
    model.error = error
    token, _ = sent(answers, b"a clip")
    for said in (
        answers.label(0, token, TokenChoice(num_tokens=2), BUDGET),
        answers.show_tokens(0, token, TokenChoice(num_tokens=2), BUDGET),
    ):
        assert said.is_error
        assert told in said.html
        assert "secret" not in said.html
        assert said.is_of_clip == isinstance(error, UnreadableError)
    assert ("secret" in capsys.readouterr().err) == isinstance(error, ValueError) * (told == FAILED)


def test_what_is_at_work_when_the_demo_ends_tells_nothing_in_the_terminal(answers, model, capsys):
    token, path = sent(answers, b"a clip")
    model.error = OSError("no such file")
    path.unlink()
    answers.store.folder.rmdir()
    assert answers.label(0, token, TokenChoice(num_tokens=2), BUDGET).is_error
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("value", [3.5, 8, None, "4", "../x"])
def test_values_that_no_slider_has(answers, model, value):
    said = answers.label(0, sent(answers, b"a clip")[0], TokenChoice(num_tokens=value), BUDGET)
    assert said.is_error
    assert "choose 2 to 6" in said.html
    assert model.asked == []


def test_a_clip_that_is_gone_or_of_somebody_else(answers):
    for token in (None, "guess", {"a": 1}):
        for said in (
            answers.check(token, "a", BUDGET),
            answers.label(0, token, TokenChoice(2), BUDGET),
            answers.show_tokens(0, token, TokenChoice(2), BUDGET),
        ):
            assert said.is_error
            assert GONE in said.html
        assert answers.copy(token) == Said("")  # its answer says it


def test_a_clip_is_checked_before_it_is_labelled(answers, tiny_run):
    token, path = sent(answers, tiny_run.videos[0].read_bytes())
    answers.store.claim(token, "a visitor")
    said = answers.check(token, "a visitor", BUDGET)
    assert (said.is_error, path.exists()) == (False, True)
    assert "2.5 s, 25 frames of 30 x 20 pixels" in said.html
    bad, path = sent(answers, b"no video at all, but text")
    answers.store.claim(bad, "a visitor")
    assert answers.copy(bad) == Said("")
    said = answers.check(bad, "a visitor", BUDGET)
    assert (said.is_error, path.exists()) == (True, False)
    assert "The file can&#39;t be read as a video" in said.html
    assert str(path) not in said.html
    assert answers.store.path_of(token) is None  # a visitor keeps one


def test_waiting_is_told():
    assert "Looking &lt;" in waiting("Looking <")


def test_every_part_says_of_which_clip_it_is(answers, model, tiny_run):
    token, _ = sent(answers, tiny_run.videos[0].read_bytes())
    parts = [answers.check(token, "a", BUDGET), answers.label(0, token, TokenChoice(2), BUDGET), answers.copy(token)]
    parts.append(answers.show_tokens(0, token, TokenChoice(2), BUDGET))
    model.error = ValueError("odd")
    parts.append(answers.label(0, token, TokenChoice(2), BUDGET))
    for html in [*(part.html for part in parts), waiting("Looking", clip=token)]:
        assert html.count(f'data-clip="{token}"') == 1
    assert 'data-clip=""' in waiting("Drop one")
