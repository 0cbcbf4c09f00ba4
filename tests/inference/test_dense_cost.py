import pytest
import torch
from torch import nn

from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.dense_cost import Answers, commonest_size, pictures_per_second


def test_the_commonest_padded_size():
    sizes = PictureSizes(short_side=48, long_side=70)
    tall, wide = [(200, 100)] * 2, [(100, 130)] * 3  # 70 x 35 and 48 x 62
    assert commonest_size([*tall, *wide, (64, 48)], sizes) == (64, 64)
    assert commonest_size([*tall, *wide[:2]], sizes) == (96, 64)  # of equally many the largest


def test_answers_are_the_tensors_in_whatever_holds_them():
    one, two, three = (torch.full((2,), float(n)) for n in range(3))
    answers = Answers(nn.Linear(3, 4), lambda _: {"a": [one, {"b": (two, "text")}], "c": three, "d": None})
    assert [float(tensor[0]) for tensor in answers(torch.zeros(1))] == [0, 1, 2]
    assert sum(values.numel() for values in answers.parameters()) == 16


@pytest.mark.parametrize("mode", [True, False])
def test_counting_leaves_the_model_in_its_mode(mode):
    model = nn.Conv2d(3, 2, 1).train(mode)
    assert count_gmacs(Answers(model, model), (3, 4, 5)) == pytest.approx(2 * 3 * 4 * 5 / 1e9)
    assert model.training == mode


def test_the_speed_is_a_median_of_runs_behind_a_first_one(monkeypatch):
    times, seen = iter([0.0, 9.0, 10.0, 10.5, 11.0, 11.25, 12.0, 14.0]), []
    monkeypatch.setattr("stvit_video.inference.dense_cost.time.perf_counter", lambda: next(times))
    speed = pictures_per_second(lambda p: seen.append(p.shape), picture_size=(32, 64), device=torch.device("cpu"))
    assert speed == pytest.approx(2.0)
    assert seen == [(1, 3, 32, 64)] * 4
