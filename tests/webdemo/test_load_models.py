"""Checkpoints become models of the page, what finds objects does not; of bundles see test_bundle_model.py."""

import pytest
import torch

from stvit_video.webdemo import load_models as loading
from stvit_video.webdemo.checkpoint_model import CheckpointModel
from stvit_video.webdemo.load_models import load_models


def test_two_checkpoints_and_their_threads(elastic_run, tiny_run):
    before = torch.get_num_threads()
    try:
        models = load_models([elastic_run.checkpoint, tiny_run.checkpoint], device="cpu", num_threads=before + 1)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert all(isinstance(model, CheckpointModel) for model in models)
    assert [model.token_steps is None for model in models] == [False, True]


def test_detectors_and_segmenters_are_told_where_to_go(monkeypatch, tmp_path):
    class TrainedDetector:
        """As `load_trained` gives one."""

    monkeypatch.setattr(loading, "load_trained", lambda path, device: TrainedDetector())
    with pytest.raises(ValueError, match=r"is a TrainedDetector, .* label videos; .*stvit_video\.predict"):
        load_models([tmp_path / "detector.ckpt"], device="cpu")


def test_no_model(tmp_path):
    with pytest.raises(ValueError, match="there is no"):
        load_models([tmp_path / "none.ckpt"])
