"""The front in a checkpoint: stored plainly, read with care, chosen from."""

import warnings
from dataclasses import replace

import pytest
import torch

from stvit_video.inference.cost_budget import read_budget
from stvit_video.inference.run_settings import RunSettings
from stvit_video.inference.stored_front import FRONT_KEY, FrontPoint, StoredFront, choose_within, read_front
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.utils.provenance import describe_hardware

CPU = torch.device("cpu")
SETTINGS = RunSettings(
    num_frames=2, frame_stride=3, crop_size=12, short_side=14, num_tokens=2, generate_at=1, num_clips=1, num_crops=1
)


def point(num_tokens, gmacs, accuracy):
    return FrontPoint(
        settings=replace(SETTINGS, num_tokens=num_tokens),
        gmacs=gmacs,
        clips_per_second=100 / gmacs,
        latency_ms=10 * gmacs,
        accuracy=accuracy,
        interval=(accuracy - 0.1, accuracy + 0.1),
        reported=accuracy - 0.02,
        reported_interval=(accuracy - 0.15, accuracy + 0.05),
        views_at_once=16,
    )


FRONT = StoredFront(
    points=(point(2, 1.0, 0.5), point((1, 2, 2), 3.0, 0.75)),
    metric="top-1",
    protocol="uniform",
    average="prob",
    num_choosing=7,
    num_reporting=6,
    videos="validation videos of the training",
    seed=0,
    hardware=describe_hardware(CPU),
    commit=None,
    date="2026-01-02T03:04:05+00:00",
)
STORED = {FRONT_KEY: FRONT.plain()}


def choose(stored=STORED, given=None, **budget):
    return choose_within(stored, read_budget(**budget), source="x.ckpt", device=CPU, given=given or {})


def test_what_is_stored_loads_safely_and_is_read_back(tmp_path):
    torch.save(STORED, tmp_path / "x.ckpt")
    assert read_front(torch.load(tmp_path / "x.ckpt", weights_only=True), source="x.ckpt") == FRONT


def test_a_checkpoint_without_a_front_names_the_command_that_makes_one():
    with pytest.raises(CheckpointError, match=r"x.ckpt .*python -m stvit_video.budget ckpt_path=x.ckpt write=true"):
        read_front({}, source="x.ckpt")


@pytest.mark.parametrize("wrong", [{"format": 2}, {"points": []}, {"points": [{}]}, {"more": 1}, {"points": None}])
def test_a_damaged_front_is_a_sentence(wrong):
    with pytest.raises(CheckpointError, match=r"the front in x.ckpt can't be read .*stvit_video.budget"):
        read_front({FRONT_KEY: {**FRONT.plain(), **wrong}}, source="x.ckpt")


def test_the_choice_within_a_budget():
    assert choose(gmacs=2.5)[0] == SETTINGS
    assert choose(gmacs=3)[0] == replace(SETTINGS, num_tokens=(1, 2, 2))
    with pytest.raises(ValueError, match="gmacs=0.5: the cheapest is num_frames=2 .* 1 GMACs"):
        choose(gmacs=0.5)


def test_a_budget_beside_a_setting_that_it_chooses():
    with pytest.raises(ValueError, match="gmacs=3 chooses num_tokens, .*leave num_tokens or gmacs out"):
        choose(gmacs=3, given={"protocol": None, "num_tokens": 8})


def test_time_that_was_measured_elsewhere_is_a_warning():
    other = {FRONT_KEY: replace(FRONT, hardware="another processor, 3 threads").plain()}
    for budget in ({"latency_ms": 20}, {"clips_per_second": 50}):
        with pytest.warns(UserWarning, match=r"another processor, 3 threads.*speed_only=true"):
            choose(other, **budget)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose(other, gmacs=2)
        choose(latency_ms=20)
