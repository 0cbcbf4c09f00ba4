"""The settings of events: when one begins, ends and is told."""

from stvit_video.settings.declare import Group, NonNegative, PositiveShare, setting
from stvit_video.utils.choices import Smoothing


class EventSettings(Group):
    """From the probabilities of steps to events; the defaults are those of `EventRules`."""

    smoothing: Smoothing = setting(
        "mean", "of probabilities over time: mean = moving mean, ema = exponential moving average"
    )
    smoothing_seconds: NonNegative = setting(1.0, "length of the mean, time constant of the average; 0 = none")
    enter: PositiveShare = setting(0.5, "smoothed probability from which on an event begins")
    leave: PositiveShare = setting(0.4, "smoothed probability below which it ends, at most events.enter")
    min_seconds: NonNegative = setting(0.5, "how long it has lasted when it is told; a shorter one never is")
    cooldown_seconds: NonNegative = setting(0.0, "after an event that was told, without a new one of its class")
