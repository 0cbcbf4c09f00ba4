"""Speed of settings: in turn, the fastest round counts, and all views of a video are in it."""

from dataclasses import replace

import pytest

from stvit_video.budgets.memory import NoMemoryError
from stvit_video.budgets.run_speed import measure_speeds
from stvit_video.inference.run_settings import own_settings


class Clock:
    """Seconds that pass as views go through a model: 1 each, and in the first rounds more."""

    def __init__(self, model):
        self.now, self.sizes = 0.0, []
        model.register_forward_hook(self._count)

    def _count(self, module, given, logits):
        self.sizes.append((len(given[0]), given[0].shape[-1]))
        self.now += len(given[0]) * (3.0 if len(self.sizes) < 15 else 1.0)

    def __call__(self):
        return self.now


def test_the_fastest_round_counts_and_all_views(elastic_run):
    trained = elastic_run.load()
    own = own_settings(trained)  # 2 x 3 views
    settings = [own, replace(own, num_clips=1, num_crops=1, crop_size=12), replace(own, num_clips=7)]
    clock = Clock(trained.model)
    speeds = measure_speeds(trained, settings, rounds=3, clock=clock)
    assert [speed.latency_ms for speed in speeds] == pytest.approx([6000, 1000, 21000])
    assert [speed.clips_per_second for speed in speeds] == pytest.approx([1 / 6, 1, 1 / 21])
    turn = [(6, 16), (12, 16), (1, 12), (16, 12), (16, 16), (5, 16)]  # alone, then as many videos as 16 views hold
    assert clock.sizes == [(16, 16), (16, 12), (16, 16), *turn * 4]


def test_fewer_views_at_once_where_more_do_not_fit(elastic_run):
    trained = elastic_run.load()
    clock = Clock(trained.model)
    measure_speeds(trained, [own_settings(trained)], views_at_once=[4], rounds=1, clock=clock)
    assert clock.sizes == [(4, 16), *[(4, 16), (2, 16)] * 2]


def test_rounds_go_on_until_some_seconds_are_over(elastic_run):
    trained = elastic_run.load()
    clock = Clock(trained.model)
    measure_speeds(trained, [own_settings(trained)], rounds=1, least_seconds=200.0, clock=clock)
    assert clock.sizes.count((6, 16)) > 3
    assert clock.now >= 16 * 3 + 200


def test_what_does_not_fit_into_memory_is_halved_and_told(elastic_run, monkeypatch):
    trained = elastic_run.load()
    real = type(trained.model).forward

    def small(model, clips):
        if len(clips) > 5:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(model, clips)

    monkeypatch.setattr(type(trained.model), "forward", small)
    (speed,) = measure_speeds(trained, [own_settings(trained)], rounds=1)
    assert speed.views_at_once == 4
    monkeypatch.setattr(type(trained.model), "forward", lambda model, clips: small(model, clips.repeat(9, 1, 1, 1, 1)))
    with pytest.raises(NoMemoryError):
        measure_speeds(trained, [own_settings(trained)], rounds=1)


def test_no_rounds(elastic_run):
    with pytest.raises(ValueError, match="rounds=0"):
        measure_speeds(elastic_run.load(), [], rounds=0)
