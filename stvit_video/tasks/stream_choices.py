"""Settings of stvit_video.evaluate that are for clips, or for streams: one kind at a time."""

from typing import Any

from stvit_video.settings.declare import Group
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import default_values

__all__ = ["require_one_kind"]

OF_CLIPS = (
    *("protocol", "num_clips", "num_crops", "average", "batch_size", "max_views_per_forward", "num_workers"),
    *("backend", "time_limit_seconds"),
)
OF_STREAMS = ("stride_frames", "target_fps", "tolerance_seconds", "label_at", "recompute", "events")


def require_one_kind(settings: EvaluateSettings) -> None:
    """Raise where settings of clips stand beside stream=true, or settings of streams without it.

    Raises:
        ValueError: they do; a sentence each.
    """
    usual = default_values(EvaluateSettings)
    names = OF_CLIPS if settings.stream else OF_STREAMS
    given = [text for name in names for text in _changes(name, getattr(settings, name), usual[name])]
    if settings.stream:
        way = "is for clips of a video, and stream=true slides one window over each file; leave it out"
    else:
        way = "is for stream=true; add that, or leave it out"
    if given:
        raise ValueError("; ".join(f"{text} {way}" for text in given))


def _changes(name: str, value: Any, usual: Any) -> list[str]:
    """What differs from the default, as it is given on a command line."""
    if isinstance(value, Group):
        return [text for own, given in value.plain().items() for text in _changes(f"{name}.{own}", given, usual[own])]
    return [] if value == usual else [f"{name}={value}"]
