"""The runs of a sweep as points of a plot: those that differ in chance only are one point with a spread."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from stvit_video.sweeps.report.pareto import Spread, spread_of

# the main one of each kind of task, and of each kind of labels over time
METRICS = ("top1", "mean_average_precision", "AP", "mIoU", "frame_mean_average_precision", "frame_accuracy")
MORE_METRICS = ("top5", "mean_class_accuracy", "AP50", "mAcc", "aAcc", "frame_mean_class_accuracy", "f1_25")
OF_CLIPS = ("gmacs_per_view", "inference_clips_per_second")  # cost and speed
OF_DETECTOR = ("gmacs_detector", "inference_pictures_per_second")  # the same of pictures
OF_SEGMENTER = ("gmacs_segmenter", "inference_pictures_per_second")
CHANCE = ("seed", "data.fold")
OF_SERIES = ("model", "head", "model.reducer", "model.num_tokens")  # overrides that a point is named by anyway
MEASURED = "speed_measured"  # on what and when the speed was measured, all runs of a sweep in turn
WORDS = {"generate_at": "after block {}"}  # what labels say instead of a setting
UNTOLD = ("hydra.", "hydra/", "sweep.", "run=", "trainer.enable_progress_bar")  # say nothing about a model


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        name: of its folder.
        overrides: what it was started with.
        result: the content of its result.json.
    """

    name: str
    overrides: tuple[str, ...]
    result: Mapping[str, Any]

    @property
    def series(self) -> str:
        """Whom it belongs to in a plot: the head if there is one, the model and, of few tokens, who makes them."""
        told = (self.result.get("head"), self.result["model"], self.result.get("reducer"))
        return ", ".join(str(one) for one in told if one)

    @property
    def is_dense(self) -> bool:
        """Whether the model has no slot for semantic tokens."""
        has_tokens = self.result.get("num_tokens") is not None or self.result.get("reducer")
        return not has_tokens and not str(self.result["model"]).startswith("stvit_")

    @property
    def costs(self) -> tuple[str, str]:
        """The names of its cost and its speed."""
        return next((costs for costs in (OF_DETECTOR, OF_SEGMENTER) if costs[0] in self.result), OF_CLIPS)


@dataclass(frozen=True)
class Unfinished:
    """A run without a result.

    Attributes:
        name: of its folder.
        overrides: what it was started with.
        state: what became of it.
        reason: why, as far as known.
    """

    name: str
    overrides: tuple[str, ...]
    state: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """Runs that differ in chance only.

    Attributes:
        series: see `Run`.
        count: semantic tokens in words; "dense" beside points with tokens; "" where all are dense or it is not known.
        setting: what sets it apart from the other points beside the count.
        runs: their names.
        quality: accuracy, mAP, AP or mIoU, 0 to 1.
        more: of further metrics, by name.
        gmacs: giga multiply-adds of a view; of detectors and segmenters those of a picture.
        speeds: clips or pictures a second, measured in inference.
        num_tokens: semantic tokens; None = dense, or not known.
    """

    series: str
    count: str
    setting: str
    runs: tuple[str, ...]
    quality: Spread
    more: Mapping[str, Spread]
    gmacs: float
    speeds: Spread
    num_tokens: int | None

    @property
    def speed(self) -> float:
        """The mean of the runs."""
        return self.speeds.mean

    @property
    def label(self) -> str:
        """What sets it apart from the other points."""
        return ", ".join(text for text in (self.count, self.setting) if text)

    @property
    def name(self) -> str:
        """Series and label."""
        return f"{self.series} {self.label}".strip()


def read_run(folder: Path, overrides: Sequence[str]) -> Run:
    """A run by its folder.

    Raises:
        ValueError: its result.json is missing or damaged, or lacks what a point needs.
    """
    path = folder / "result.json"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError("there is no result.json") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} can't be read ({error})") from error
    run = Run(folder.name, tuple(overrides), result if isinstance(result, dict) else {})
    needed = ("model", *run.costs)
    if any(key not in run.result for key in needed):
        raise ValueError(f"{path} is no result of a training or evaluation; it needs {', '.join(needed)}")
    for key in run.costs:
        if not (_is_number(result[key]) and result[key] > 0):
            raise ValueError(f"{path} has {key} {result[key]}, which must be a number above 0; evaluate the run again")
    if not any(_is_number(result.get(metric)) for metric in METRICS):
        raise ValueError(f"{path} has none of {', '.join(METRICS)} as a number")
    return run


def _is_number(value: object) -> bool:
    """Whether it is a finite number; JSON also has NaN and null."""
    return isinstance(value, float | int) and isfinite(value)


def metric_of(runs: Sequence[Run]) -> str:
    """The main metric of all the runs.

    Raises:
        ValueError: there are no runs, or some are of another kind than others.
    """
    if not runs:
        raise ValueError("not one run has a result, so there is nothing to report; wait for one to end")
    shared = [metric for metric in METRICS if all(_is_number(run.result.get(metric)) for run in runs)]
    if not shared:
        raise ValueError(
            "some of these runs have one label a video, others several, find objects or label pixels; report them apart"
        )
    return shared[0]


def points_of(runs: Sequence[Run], *, chance: Sequence[str] = CHANCE) -> list[Point]:
    """One point for the runs with the same settings, in the order of the first of each.

    Args:
        runs: at least one.
        chance: keys of overrides in which the runs of a point may differ.

    Raises:
        ValueError: see `metric_of`.
    """
    metric = metric_of(runs)
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        key = (run.series, run.result.get("num_tokens"), telling(run.overrides, chance))
        groups.setdefault(key, []).append(run)
    shared = set.intersection(*(set(texts) for _, _, texts in groups))
    dense = [set(texts) for (_, _, texts), group in groups.items() if group[0].is_dense]
    made_dense = {text for text in set.intersection(*dense) if _key(text).startswith("model.")} if dense else set()
    points = []
    for (_, _, texts), group in groups.items():
        known, count = (shared | made_dense, "dense") if group[0].is_dense else (shared, "")
        setting = _setting([text for text in texts if text not in known])
        points.append(_point(group, setting, count if len(dense) < len(groups) else "", metric=metric))
    return points


def telling(overrides: Sequence[str], chance: Sequence[str]) -> tuple[str, ...]:
    """The overrides that say something about the model and its recipe, without those of chance."""
    kept = [text for text in overrides if not text.startswith(UNTOLD)]
    return tuple(text for text in kept if _key(text) not in chance)


def _key(text: str) -> str:
    return text.partition("=")[0].lstrip("+")


def _point(group: Sequence[Run], setting: str, without_tokens: str, *, metric: str) -> Point:
    def values(key: str) -> list[float]:
        return [float(run.result[key]) for run in group]

    more = [key for key in MORE_METRICS if all(_is_number(run.result.get(key)) for run in group)]
    num_tokens = group[0].result.get("num_tokens")
    return Point(
        series=group[0].series,
        count=without_tokens if num_tokens is None else f"{num_tokens} token{'' if num_tokens == 1 else 's'}",
        setting=setting,
        runs=tuple(run.name for run in group),
        quality=spread_of(values(metric)),
        more={key: spread_of(values(key)) for key in more},
        gmacs=spread_of(values(group[0].costs[0])).mean,
        speeds=spread_of(values(group[0].costs[1])),
        num_tokens=num_tokens,
    )


def _setting(texts: Sequence[str]) -> str:
    """What differs between the points beside models and counts, as briefly as it can be said."""
    told = [text for text in texts if _key(text) not in OF_SERIES]
    told = [text for text in told if "${" not in text.replace("\\", "")]  # made of what is told already
    return ", ".join(map(_in_words, told))


def _in_words(text: str) -> str:
    name, _, value = text.lstrip("+").removeprefix("model.").partition("=")
    return WORDS[name].format(value) if name in WORDS else f"{name}={value}"
