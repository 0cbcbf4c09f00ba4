"""All about the tokens of a video in one record, for every kind of model."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from short_models import KINDS, short_model
from untrained_run import write_drifting

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.models.registry import family_of
from stvit_video.token_maps import video_tokens as module
from stvit_video.token_maps.video_tokens import label_number, untrained_notes, video_tokens

CLASSES = ("a, comma", "jump", "run")


@pytest.fixture(scope="module")
def trained(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu")


@pytest.fixture(scope="module")
def record(tiny_run, trained):
    return video_tokens(trained, tiny_run.videos[0], label="run")


def recognizer_of(name, **options):
    """A recognizer of the short model of that name, which looks once at a video."""
    model = short_model(name, **options)
    side = 16 if family_of(model).name == "deit" else 64
    num_frames = 4 if len(model.grid.sizes) == 3 else 1
    return Recognizer(
        model=model,
        classes=CLASSES,
        preprocessing=Preprocessing(num_frames=num_frames, frame_stride=2, short_side=side, crop_size=side),
        protocol=TestProtocol.named(num_clips=1, num_crops=1),
        device=torch.device("cpu"),
        config={},
        model_name=name,
    )


def test_a_record_says_what_the_video_and_the_model_are(record, tiny_run, trained):
    assert (record.name, record.classes, record.label) == ("a, b.mp4", CLASSES, 2)
    assert (record.fps, record.seconds) == (pytest.approx(5), pytest.approx(2.5))
    assert (record.is_semantic, record.where) == (True, "generated after 1 of 4 blocks")
    assert (record.left_out, record.num_tokens, record.token_grid) == ("left out of all later layers", 4, (1, 2, 2))
    assert record.protocol == trained.protocol.describe(short_side=20)
    assert list(record.cost) == ["GMACs a clip", "ms a clip"]
    assert min(record.cost.values()) > 0
    assert record.notes == (
        "The last 0.1 s of the video fill no clip and are not shown.",
        "Attention supplies 0 % of what the tokens come from, max-pooling the rest.",  # the gains are 1e-5
    )


def test_probabilities_are_those_of_prediction(record, tiny_run, trained):
    predicted = trained(tiny_run.videos[0], top_k=3)
    told = {CLASSES[number]: float(record.probabilities[number]) for number in range(3)}
    assert told == pytest.approx(dict(zip(predicted.labels, predicted.probabilities, strict=True)))
    assert video_tokens(trained, tiny_run.videos[0]).label == CLASSES.index(predicted.label)


def test_clips_have_the_logits_of_the_model(record, tiny_run):
    """Clips follow one another, of 4 frames at a stride of 2."""
    assert len(record.clips) == 3
    for clip in record.clips:
        assert (clip.frames.shape, clip.seen) == ((4, 20, 30, 3), (2, 7, 18, 23))
        pixels = torch.from_numpy(clip.frames[:, 2:18, 7:23]).permute(3, 0, 1, 2)[None]
        with torch.no_grad():
            expected = tiny_run.model((pixels / 255 - 0.5) / 0.25)[0]
        np.testing.assert_allclose(clip.logits, expected, atol=1e-4)
        np.testing.assert_allclose(clip.probabilities, expected.softmax(0), atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model(name, tiny_run, monkeypatch):
    monkeypatch.setattr(module, "count_gmacs", lambda *_: 0.0)  # takes longer than all the rest
    recognizer = recognizer_of(name)
    with torch.inference_mode():
        found = video_tokens(recognizer, tiny_run.videos[0], label=1, max_clips=2)
    image_grid = recognizer.model.grid.sizes
    for clip in found.clips:
        assert clip.sources.dtype == np.float32
        assert clip.sources.shape[:1] == clip.contributions.shape == clip.occlusions.shape
        np.testing.assert_allclose(clip.sources.sum((1, 2, 3)), 1, atol=1e-5)
        assert clip.sources.shape[1] == (image_grid[0] if len(image_grid) == 3 else 1)
        assert np.isfinite([*clip.contributions, *clip.occlusions]).all()
    assert found.is_semantic == name.startswith("stvit")
    assert math.prod(found.token_grid) == found.num_tokens
    assert ("dense" in " ".join(found.notes)) != found.is_semantic
    assert ("come back" in " ".join(found.notes)) == name.startswith("stvit_r_")
    assert all(parameter.grad is None for parameter in recognizer.model.parameters())


def test_modes_of_modules_are_put_back(trained, tiny_run):
    recognizer = recognizer_of("stvit_deit_tiny")
    recognizer.model.train()
    recognizer.model.norm.eval()
    expected = {name: module.training for name, module in recognizer.model.named_modules()}
    video_tokens(recognizer, tiny_run.videos[0], max_clips=1)
    assert {name: module.training for name, module in recognizer.model.named_modules()} == expected


def test_tokens_follow_what_was_chosen(tiny_run):
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", num_tokens=2)
    assert video_tokens(recognizer, tiny_run.videos[0], max_clips=1).num_tokens == 2


def test_the_only_token_is_replaced_by_zeros(tiny_run):
    found = video_tokens(recognizer_of("stvit_deit_tiny", num_tokens=1), tiny_run.videos[0], max_clips=1)
    assert "zeros" in found.left_out


@pytest.mark.parametrize("reducer", ["random", "pool", "tome", "token_learner"])
def test_other_reducers_need_no_note(reducer, tiny_run):
    found = video_tokens(recognizer_of("stvit_deit_tiny", reducer=reducer), tiny_run.videos[0], max_clips=1)
    assert (found.is_semantic, found.num_tokens) == (True, 4)
    assert not any("Attention" in note for note in found.notes)


def test_of_several_labels_each_probability_stands_by_itself(trained, tiny_run):
    recognizer = replace(trained, multi_label=True, protocol=TestProtocol.named(num_clips=1, num_crops=1))
    found = video_tokens(recognizer, tiny_run.videos[0], max_clips=1)
    assert found.multi_label
    np.testing.assert_allclose(found.clips[0].probabilities, 1 / (1 + np.exp(-found.clips[0].logits)), rtol=1e-5)


def test_a_picture_has_one_frame_and_no_length(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = video_tokens(recognizer_of("stvit_deit_tiny"), tmp_path / "a.png")
    assert math.isnan(found.seconds)
    np.testing.assert_array_equal(found.clips[0].frames, pixels[None])
    assert found.clips[0].sources.shape == (4, 1, 4, 4)
    assert found.clips[0].seen == (4, 0, 34, 30)  # of 16 x 21 pixels, 2 are cut off above


def test_notes_tell_what_is_not_shown(tmp_path, trained):
    write_drifting(tmp_path / "long.mp4", seed=0, num_frames=100)
    write_drifting(tmp_path / "short.mp4", seed=0, num_frames=3)
    assert video_tokens(trained, tmp_path / "long.mp4", max_clips=2).notes[:2] == (
        "The video gives 12 clips one after the other; 2 of them, spread evenly, are shown.",
        "The last 0.4 s of the video fill no clip and are not shown.",
    )
    frames = video_tokens(recognizer_of("stvit_deit_tiny"), tmp_path / "long.mp4", max_clips=3)
    assert frames.notes[0] == "The video gives 50 frames to look at; 3 of them, spread evenly, are shown."
    first = video_tokens(recognizer_of("stvit_deit_tiny"), tmp_path / "long.mp4", max_clips=1)
    assert first.notes[0] == "The video gives 50 frames to look at; the first of them is shown."
    notes = video_tokens(trained, tmp_path / "short.mp4").notes
    assert notes[0] == (
        "The video is too short, or has too few frames a second, for clips of 4 frames, which repeat frames or begin "
        "again."
    )


@pytest.mark.parametrize(("label", "number"), [("jump", 1), (2, 2), ("0", 0), ("a, comma", 0)])
def test_labels_by_name_and_number(label, number):
    assert label_number(label, CLASSES) == number


def test_a_name_that_is_a_number_is_a_name():
    assert label_number("1", ("0", "2", "1")) == 2


@pytest.mark.parametrize("label", ["jumps", 3, -1, "3", True, "", 1.0])
def test_labels_that_there_are_not(label):
    near = "jump" if label == "jumps" else "a, comma, jump, run"
    with pytest.raises(
        ValueError, match=f"label={label!r} is none of the 3 labels; .*0 to 2, or a name such as {near}"
    ):
        label_number(label, CLASSES)


def test_errors_come_before_the_work_or_as_the_decoder_says_them(trained, tiny_run, tmp_path):
    (tmp_path / "no.mp4").write_bytes(b"no video")
    with pytest.raises(DecodeError, match=r"no\.mp4"):
        video_tokens(trained, tmp_path / "no.mp4")
    with pytest.raises(ValueError, match="jump"):
        video_tokens(trained, tmp_path / "no.mp4", label="jumps")
    with pytest.raises(ValueError, match="layer=1 is for dense models"):
        video_tokens(trained, tmp_path / "no.mp4", layer=1)
    with pytest.raises(ValueError, match="unknown backend 'ffmpeg'"):
        video_tokens(trained, tiny_run.videos[0], backend="ffmpeg")
    with pytest.raises(ValueError, match="max_clips"):
        video_tokens(trained, tmp_path / "no.mp4", max_clips=0)
    with pytest.raises(ValueError, match="str shows no tokens; give a checkpoint that labels videos or pictures"):
        video_tokens("a.ckpt", tiny_run.videos[0])
    recognizer = recognizer_of("stvit_video_deit_tiny")
    recognizer.model.head.weight.data[0] = math.nan
    with pytest.raises(NonFiniteLogitsError, match=r"a, b\.mp4"):
        video_tokens(recognizer, tiny_run.videos[0])


def test_tokens_and_places_that_training_has_not_seen_are_told():
    options = {"depth": 6, "generate_at": 3, "elastic": [4, 8], "elastic_generate_at": [1, 3], "num_tokens": 8}
    model = short_model("stvit_video_deit_tiny", **options)
    assert untrained_notes(model) == []
    model.set_num_tokens(1)
    assert untrained_notes(model) == ["Not trained for 1 token, but for 4, 8. Labels may be worse."]
    model.set_num_tokens(4)
    with pytest.warns(UserWarning, match="generate_at=2"):
        model.set_generate_at(2)
    assert untrained_notes(model) == ["Not trained to generate after 2 blocks, but after 1, 3. Labels may be worse."]
    fixed = short_model("stvit_deit_tiny")
    assert untrained_notes(fixed) == []
    fixed.set_num_tokens(2)
    assert untrained_notes(fixed) == ["Not trained for 2 tokens, but for 4. Labels may be worse."]
    assert untrained_notes(short_model("deit_tiny")) == []
