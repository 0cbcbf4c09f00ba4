import dataclasses

import pytest

from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.event_settings import EventSettings
from stvit_video.settings.reading import read_settings
from stvit_video.streaming.events import EventRules


def test_the_settings_are_those_of_the_rules_with_their_defaults():
    assert EventSettings().plain() == dataclasses.asdict(EventRules())


@pytest.mark.parametrize("wrong", [{"enter": 0}, {"leave": 1.5}, {"smoothing": "median"}, {"min_seconds": -1}])
def test_values_out_of_range(wrong):
    read = read_settings(EvaluateSettings, {"ckpt_path": "a", "events": wrong})
    assert list(read.wrong) == [f"events.{name}" for name in wrong]
