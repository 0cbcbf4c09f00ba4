"""The settings that a search goes through: lists of values, all their combinations, and what each of them costs."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.run_settings import RunSettings, own_settings, plain_tokens, run_with, short_side_of
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.utils.memory_errors import is_short_of_memory

PICTURE_SHARE = 5 / 7  # of the trained picture size, 160 of 224 pixels, which is half the cost


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Values of each setting; see `RunSettings`.

    The short side of a frame is no choice: it is in proportion to the picture size.
    """

    num_frames: tuple[int, ...]
    frame_stride: tuple[int, ...]
    crop_size: tuple[int, ...]
    num_tokens: tuple[int | tuple[int, ...] | None, ...]
    generate_at: tuple[int | None, ...]
    num_clips: tuple[int, ...]
    num_crops: tuple[int, ...]

    def plain(self) -> dict[str, Any]:
        """The lists as plain values, for a journal."""
        return {
            name: [list(value) if isinstance(value, tuple) else value for value in getattr(self, name)]
            for name in SETTINGS
        }

    def combinations(self, trained: TrainedModel) -> list[RunSettings]:
        """Every combination, each once."""
        names = [field.name for field in fields(self)]
        found: dict[RunSettings, None] = {}
        for values in product(*(getattr(self, name) for name in names)):
            one = dict(zip(names, values, strict=True))
            side = short_side_of(trained, crop_size=one["crop_size"], num_crops=one["num_crops"])
            found[RunSettings(short_side=side, **one)] = None
        return list(found)


SETTINGS = tuple(field.name for field in fields(SearchSpace))


def num_settings(number: int) -> str:
    """A number of settings in words, "1 setting" or "3 settings"."""
    return f"{number} setting{'' if number == 1 else 's'}"


def default_space(trained: TrainedModel) -> SearchSpace:
    """What a search goes through where nothing is said: places and counts that were trained, and cheaper inputs.

    Args:
        trained: the checkpoint as it runs by itself.
    """
    own, model = own_settings(trained), trained.model
    grid = model.grid.sizes
    is_clip = own.num_frames > 1
    frames = _smaller(own.num_frames, 1 / 2, step=_step(own.num_frames, grid[0])) if is_clip else (own.num_frames,)
    return SearchSpace(
        num_frames=frames,
        frame_stride=(own.frame_stride, 2 * own.frame_stride) if is_clip else (own.frame_stride,),
        crop_size=_smaller(own.crop_size, PICTURE_SHARE, step=_step(own.crop_size, grid[-1])),
        num_tokens=_trained_tokens(trained),
        generate_at=model.trained_places or (None,),
        num_clips=tuple(sorted({1, min(2, own.num_clips), own.num_clips})) if is_clip else (1,),
        num_crops=tuple(sorted({1, own.num_crops})),
    )


def chosen_space(trained: TrainedModel, given: Mapping[str, Sequence[Any] | None]) -> SearchSpace:
    """The default lists with those that are given in their place; None = the default."""
    lists = {name: tuple(dict.fromkeys(values)) for name, values in given.items() if values is not None}
    return replace(default_space(trained), **lists)


def count_costs(
    trained: TrainedModel,
    settings: Sequence[RunSettings],
    *,
    count: Callable[..., float] = count_gmacs,
    tell: Callable[[], object] = lambda: None,
) -> tuple[list[float | None], list[str]]:
    """Giga multiply-adds of a video for each setting, None where the model can't run with it; and why, a line a reason.

    Each shape is counted once.

    Args:
        trained: the checkpoint.
        settings: of `SearchSpace.combinations`.
        count: counts one view, see `count_gmacs`.
        tell: called after each shape.

    Raises:
        ValueError: not one setting can be run.
    """
    known: dict[object, float | str] = {}
    for one in settings:
        key = (one.view_size, one.num_tokens, one.generate_at)
        if key not in known:
            known[key] = _cost_of_view(trained, one, count)
            tell()
    found = [known[one.view_size, one.num_tokens, one.generate_at] for one in settings]
    reasons = Counter(value for value in found if isinstance(value, str))
    if len(settings) == sum(reasons.values()):
        raise ValueError(f"not one of {len(settings)} settings can be run: {next(iter(reasons), 'there are none')}")
    notes = [f"{number} of {len(settings)} settings are left out: {reason}" for reason, number in reasons.items()]
    costs = [
        None if isinstance(value, str) else value * one.num_views for value, one in zip(found, settings, strict=True)
    ]
    return costs, notes


def _cost_of_view(trained: TrainedModel, one: RunSettings, count: Callable[..., float]) -> float | str:
    """GMACs of a view, or why there is none."""
    try:
        return count(run_with(trained, one).model, one.view_size)
    except (ValueError, RuntimeError, MemoryError) as error:
        if is_short_of_memory(error):
            return f"one view of {one.num_frames} frames of {one.crop_size} pixels does not fit into memory"
        if not isinstance(error, ValueError):
            raise
        return re.sub(r"tensor\((\d+)\)", r"\1", str(error))  # sizes of a traced model


def _trained_tokens(trained: TrainedModel) -> tuple[int | tuple[int, ...] | None, ...]:
    """The counts, or grids, that training drew from; the model's own where it drew none."""
    elastic = trained.model.elastic
    if elastic is None:
        return (plain_tokens(trained),)
    return tuple(dict.fromkeys(tuple(one) if isinstance(one, (list, tuple)) else one for one in elastic))


def _step(size: int, cells: int) -> int:
    """Pixels or frames of a cell of the grid; `size` itself where it has not whole ones."""
    return size // cells if size % cells == 0 else size


def _smaller(size: int, share: float, *, step: int) -> tuple[int, ...]:
    """About a share of the size in whole steps, and the size itself."""
    return tuple(sorted({max(step, round(size * share / step) * step), size}))
