"""Trainings on clips of frames, by the command's own function: shared tokens, a stop within an epoch, faults."""

import json

import pytest
import torch
from detector_run import detector_settings
from sequence_maker import LENGTHS, frame_document, write_frames

from stvit_video.train import train
from stvit_video.training.detection_module import DetectionModule

OF_CLIPS = ("data.batch_size=4", "model=stvit_r_casvit_xs", "model.depths=[1,1,4,1]")


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    return write_frames(tmp_path_factory.mktemp("frames"))


def clip_settings(root, *overrides):
    """Of a tiny training on the frames; they are also those that validate."""
    values = detector_settings(root, *OF_CLIPS, *overrides)
    own = ("num_train", "num_val", "image_size", "generation_seed", "root")
    data = {name: value for name, value in values["data"].items() if name not in own} | {"source": "coco_folders"}
    for part in ("train", "val"):
        data |= {f"{part}_json": str(root / "frames.json"), f"{part}_images": str(root)}
    return {**values, "data": {**data, "clip_frames": 2}}


class PowerCutError(Exception):
    """What ends a training in the middle of an epoch."""


def test_stopped_within_an_epoch_it_ends_with_the_same_bits(frames, tmp_path, monkeypatch):
    settings = clip_settings(
        *(frames, "trainer.max_epochs=2", "trainer.checkpoint_minutes=1e-6", "augment.short_sides=[32,40,48]"),
        "augment.photometric_probability=0.5",
    )
    plain, places, cuts = DetectionModule.training_step, [], []

    def step(self, batch, batch_index):
        if len(places) == 10 and not cuts:  # six of the whole training, four of this one
            cuts.append(self.global_step)
            raise PowerCutError
        places.append(list(zip(batch["sequences"], batch["frame_places"], strict=True)))
        return plain(self, batch, batch_index)

    monkeypatch.setattr(DetectionModule, "training_step", step)
    result = train(settings, run_dir=tmp_path / "whole")
    assert (result["num_pictures_used"], result["num_pictures_listed"]) == (16, 16)
    with pytest.raises(PowerCutError):
        train(settings, run_dir=tmp_path / "part")
    stopped = torch.load(tmp_path / "part" / "last.ckpt", weights_only=True)
    assert (stopped["epoch"], stopped["global_step"]) == (1, 4)  # of three steps an epoch
    train(settings, run_dir=tmp_path / "part")
    one, other = (
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)["state_dict"] for name in ("part", "whole")
    )
    assert [key for key in other if not torch.equal(one[key], other[key])] == []
    assert cuts == [4]
    assert places[:6] == places[6:]
    for batch in places:
        for (name, place), following in (batch[:2], batch[2:]):
            assert following == (name, place + 1)
            assert place + 1 < LENGTHS[name]


def test_frames_of_a_clip_share_the_tokens_of_the_first(frames, tmp_path, monkeypatch):
    found = []
    plain = DetectionModule.batch_losses

    def losses(self, batch):
        model, seen = self.model, []
        whole = type(model).losses
        monkeypatch.setattr(model, "losses", lambda *args, **more: seen.append(more) or whole(model, *args, **more))
        values = plain(self, batch)
        found.append(seen[0]["shared"])
        return values

    monkeypatch.setattr(DetectionModule, "batch_losses", losses)
    train(clip_settings(frames), run_dir=tmp_path)
    assert [shared.runs for shared in found] == [(0, 0, 1, 1)] * 3
    assert [shared.rows for shared in found] == [[0, 2]] * 3


def test_pictures_of_no_sequence_and_models_without_tokens_are_refused(frames, tmp_path):
    with pytest.raises(ValueError, match=r"data\.clip_frames=2 .*model=casvit_xs"):
        train(clip_settings(frames, "model=casvit_xs"), run_dir=tmp_path / "dense")
    document = frame_document()
    for image in document["images"]:
        image.pop("video", None)
    root = write_frames(tmp_path / "alone", document)
    with pytest.raises(ValueError, match=r"data\.clip_frames=2 is for frames of videos"):
        train(clip_settings(root), run_dir=tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()
    assert json.loads((root / "frames.json").read_text())["images"]
