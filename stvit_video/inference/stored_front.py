"""The ways to run a checkpoint that are worth their cost, as its metadata hold them."""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch

from stvit_video.inference.cost_budget import MEASURED, Budget, best_within
from stvit_video.inference.run_settings import RunSettings
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.utils.provenance import describe_hardware

FRONT_KEY = "front"  # in the metadata of a checkpoint
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class FrontPoint:
    """One way to run, its cost and its accuracy.

    Attributes:
        settings: the way to run.
        gmacs: giga multiply-adds of a video, all views.
        clips_per_second: videos a second, all views of each, several at once; measured.
        latency_ms: milliseconds for a video alone, all its views; measured.
        accuracy: on the videos that chose the settings.
        interval: of it, 95 %.
        reported: accuracy on the other videos.
        reported_interval: of it, 95 %.
        views_at_once: most views that went through the model together: fewer than usual where memory was short.
    """

    settings: RunSettings
    gmacs: float
    clips_per_second: float
    latency_ms: float
    accuracy: float
    interval: tuple[float, float]
    reported: float
    reported_interval: tuple[float, float]
    views_at_once: int

    def __str__(self) -> str:
        return self.settings.words()


@dataclass(frozen=True, kw_only=True)
class StoredFront:
    """What a search has found.

    Attributes:
        points: the cheapest first.
        metric: "top-1", or "mAP" for several labels a video.
        protocol: name of the test protocol.
        average: how the scores of views combine.
        num_choosing: videos that chose.
        num_reporting: the other videos.
        videos: where they came from, in words.
        seed: of the halves.
        hardware: where speed was measured.
        commit: of the program; None = unknown.
        date: of the measurement, ISO 8601.
    """

    points: tuple[FrontPoint, ...]
    metric: str
    protocol: str
    average: str
    num_choosing: int
    num_reporting: int
    videos: str
    seed: int
    hardware: str
    commit: str | None
    date: str

    def plain(self) -> dict[str, Any]:
        """Plain values, which load with `weights_only=True`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        points = [
            {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(point).items()}
            | {"settings": point.settings.plain()}
            for point in self.points
        ]
        return values | {"format": FORMAT, "points": points}


def read_front(metadata: Mapping[str, Any], *, source: str) -> StoredFront:
    """The front in the metadata of a checkpoint.

    Args:
        metadata: see `check_metadata`.
        source: the checkpoint, as the message should call it.

    Raises:
        CheckpointError: there is none, or it can't be read.
    """
    way = f"find one with python -m stvit_video.budget ckpt_path={source} write=true"
    stored = metadata.get(FRONT_KEY)
    if stored is None:
        raise CheckpointError(f"{source} holds no front of settings to choose from within a budget; {way}")
    try:
        if stored["format"] != FORMAT:
            raise ValueError(f"its format is {stored['format']}, this program reads {FORMAT}")
        values = {key: value for key, value in stored.items() if key != "format"}
        points = tuple(_point(point) for point in values.pop("points"))
        if not points:
            raise ValueError("it has no points")
        return StoredFront(points=points, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the front in {source} can't be read ({error}); {way}") from error


def _point(values: Mapping[str, Any]) -> FrontPoint:
    pairs = {key: tuple(map(float, values[key])) for key in ("interval", "reported_interval")}
    return FrontPoint(**{**values, **pairs, "settings": RunSettings.of_plain(values["settings"])})


def choose_within(
    metadata: Mapping[str, Any], budget: Budget, *, source: str, device: torch.device, given: Mapping[str, Any]
) -> tuple[RunSettings, StoredFront]:
    """The most accurate way to run a checkpoint within a budget, by the front that it holds.

    Args:
        metadata: of the checkpoint.
        budget: what a video may cost.
        source: the checkpoint, as the message should call it.
        device: where it will run.
        given: settings that the caller has chosen; a budget chooses them all.

    Returns:
        The settings, and the front.

    Raises:
        CheckpointError: it holds no front.
        ValueError: nothing on the front meets the budget, or a setting is given beside it.

    Warns:
        UserWarning: the budget is of time, and was measured on other hardware.
    """
    beside = [name for name, value in given.items() if value is not None]
    if beside:
        raise ValueError(f"{budget} chooses {beside[0]}, which is given, too; leave {beside[0]} or {budget.name} out")
    front = read_front(metadata, source=source)
    here = describe_hardware(device)
    if budget.name in MEASURED and front.hardware != here:
        warnings.warn(
            f"{budget.name} of {source} was measured on {front.hardware}, and this is {here}; measure it here with "
            f"python -m stvit_video.budget ckpt_path={source} speed_only=true",
            stacklevel=3,
        )
    return best_within(front.points, budget).settings, front
