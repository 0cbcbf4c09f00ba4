"""Scores of settings for a video: those that the recognizer gives by itself, each view through the model once."""

from dataclasses import replace

import pytest
import torch

from stvit_video.budgets.search_space import default_space
from stvit_video.budgets.shared_views import SharedViews
from stvit_video.budgets.view_scores import ViewScores, group_of
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.recognizer import load_recognizer


@pytest.fixture
def trained(elastic_run):
    return elastic_run.load()


@pytest.fixture
def settings(trained):
    space = replace(default_space(trained), num_frames=(4,))
    return dict(enumerate(space.combinations(trained)))


@pytest.fixture
def video(elastic_run, trained, settings):
    path = elastic_run.manifest.parent / "video 0.mp4"
    return SharedViews(
        FrameSource(),
        VideoRecord(path, 0, "video 0.mp4"),
        list(settings.values()),
        protocol=find_protocol("uniform"),
        interpolation="bilinear",
    )


def test_scores_are_those_of_a_checkpoint_that_is_loaded_with_the_settings(elastic_run, trained, settings, video):
    scores = ViewScores(trained).of_video(video, settings, name="v")
    assert list(scores) == sorted(scores) == list(settings) or set(scores) == set(settings)
    for number in (0, 7, 21, 40, 63):
        alone = load_recognizer(elastic_run.checkpoint, device="cpu", **settings[number].plain())
        told = alone(elastic_run.manifest.parent / "video 0.mp4", top_k=3)
        by_name = dict(zip(told.labels, told.probabilities, strict=True))
        assert scores[number].tolist() == pytest.approx([by_name[name] for name in trained.classes], abs=1e-5)


def test_each_different_view_goes_through_the_model_once(trained, settings, video):
    sizes = []
    trained.model.register_forward_hook(lambda module, given, logits: sizes.append(len(given[0])))
    ViewScores(trained).of_video(video, settings, name="v")
    num_groups = len({group_of(one) for one in settings.values()})
    different = {(group_of(one), view) for one in settings.values() for view in video.views_of(one)}
    assert sum(sizes) == len(different)
    assert sum(sizes) < sum(one.num_views for one in settings.values()) * 0.8
    assert num_groups == 8


def test_what_does_not_fit_is_halved_and_remembered(trained, settings, video, monkeypatch):
    whole = ViewScores(trained).of_video(video, settings, name="v")
    real = type(trained.model).forward

    def small(model, clips):
        if len(clips) > 3 and clips.shape[-1] == 16:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(model, clips)

    monkeypatch.setattr(type(trained.model), "forward", small)
    scores = ViewScores(trained)
    found = scores.of_video(video, settings, name="v")
    assert all(torch.allclose(found[number], whole[number], atol=1e-6) for number in settings)
    limited = {number for number, one in settings.items() if group_of(one) in scores.views_at_once}
    assert limited == {number for number, one in settings.items() if one.crop_size == 16}
    assert set(scores.views_at_once.values()) <= {1, 2, 3}


def test_settings_of_which_not_even_one_view_fits_are_lost(trained, settings, video, monkeypatch):
    real = type(trained.model).forward

    def none(model, clips):
        if clips.shape[-1] == 16:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(model, clips)

    monkeypatch.setattr(type(trained.model), "forward", none)
    scores = ViewScores(trained)
    found = scores.of_video(video, settings, name="v")
    assert set(found) == {number for number, one in settings.items() if one.crop_size == 12}
    assert set(scores.lost.values()) == {"one view does not fit into memory"}
    assert set(scores.of_video(video, settings, name="v")) == set(found)


def test_logits_that_are_not_finite_name_the_video_and_the_settings(trained, settings, video):
    torch.nn.init.constant_(trained.model.head.bias, float("nan"))
    with pytest.raises(NonFiniteLogitsError, match="for my video with .*num_tokens=2"):
        ViewScores(trained).of_video(video, settings, name="my video")
