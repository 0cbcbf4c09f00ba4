"""A bundle on the page gives the labels of the checkpoint that it was exported from."""

import re

import pytest

from stvit_video.exporting.write_bundle import write_bundle
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.webdemo.bundle_model import BundleModel
from stvit_video.webdemo.demo_model import TokenChoice, UnreadableError
from stvit_video.webdemo.load_models import load_models
from stvit_video.webdemo.reading_budget import ReadingBudget


@pytest.fixture(scope="module")
def shown(tiny_run, tmp_path_factory):
    folder = write_bundle(
        tiny_run.checkpoint, format="torch_export", out=tmp_path_factory.mktemp("run") / "bundle", speed=False
    )
    (model,) = load_models([folder])
    assert isinstance(model, BundleModel)
    return model


def test_labels_and_latency(shown, tiny_run, tmp_path):
    answer = shown.label(tiny_run.videos[0], TokenChoice(), ReadingBudget(60.0))
    expected = load_recognizer(tiny_run.checkpoint, device="cpu")(tiny_run.videos[0])
    assert answer.prediction.labels == expected.labels
    assert answer.prediction.probabilities == pytest.approx(expected.probabilities, abs=1e-3)
    assert re.fullmatch(r"[\d.]+ ms a clip; [\d.]+ ms for the 6 views", dict(answer.facts)["latency"])
    assert shown.show_tokens(tiny_run.videos[0], TokenChoice(), tmp_path, ReadingBudget(60.0)) is None


def test_what_it_says_of_itself(shown):
    assert shown.name.endswith("/bundle")
    assert tuple(shown.labels) == ("a, comma", "jump", "run")
    assert shown.about.startswith("stvit_video_deit_tiny, torch_export in fp32, 3 labels, on ")
    assert (shown.token_steps, shown.place_steps) == (None, None)
    assert "ckpt_path=" in shown.why_fixed


def test_a_clip_that_can_not_be_read(shown, tmp_path):
    path = tmp_path / "a.clip"
    path.write_bytes(b"once upon a time\n" * 9)
    with pytest.raises(UnreadableError, match="can't be read") as told:
        shown.label(path, TokenChoice(), ReadingBudget(60.0))
    assert str(tmp_path) not in str(told.value)
