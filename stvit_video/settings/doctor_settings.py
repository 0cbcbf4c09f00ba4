"""The settings of stvit_video.doctor."""

from typing import Annotated, Literal

from pydantic import Field

from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.declare import AsTuple, Count, Group, Natural, Positive, setting
from stvit_video.utils.choices import Frames


class DoctorSettings(Group):
    """All settings of stvit_video.doctor."""

    data: ClipSettings = ClipSettings()
    parts: Annotated[tuple[Literal["train", "val"], ...], AsTuple] = setting(
        ("train", "val"), "which lists are examined: [train,val], [train] or [val]"
    )
    frames: Frames = setting("all", "all = decode every frame; some = five of each file, which is quicker, finds less")
    num_workers: Count | None = setting(None, "processes; null = as many as there are CPU cores")
    time_limit_seconds: Positive = setting(120, "for one file")
    max_distance_bits: Annotated[int, Field(ge=0, le=64)] = setting(
        8, "of 64, up to which two pictures count as the same"
    )
    num_measured: Natural = setting(3, "videos on which the gain of preparing is measured; 0 = not measured")
    short_side: Annotated[int, Field(ge=2)] = setting(256, "pixels of the copies that preparing would write")
    gop: Count = setting(30, "frames from one keyframe of these copies to the next")
