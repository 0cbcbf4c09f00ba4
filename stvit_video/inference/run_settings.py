"""What can be chosen when a checkpoint runs, and decides what a video costs: frames, pixels, tokens, place, views."""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.layers.numbers import whole_number, whole_numbers

OF_MODEL = ("num_tokens", "generate_at")  # in an evaluation settings of the group `model`


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """One way to run a checkpoint.

    Attributes:
        num_frames: frames of a clip.
        frame_stride: distance between two of them, in frames of the video.
        crop_size: side of the square that the model sees, in pixels.
        short_side: of a frame before cropping, in pixels.
        num_tokens: semantic tokens, a count or a grid; None = a dense model.
        generate_at: blocks before they are generated; None = a model whose place can't be moved.
        num_clips: clips of a video.
        num_crops: crops of a clip, 1 or 3.
    """

    num_frames: int
    frame_stride: int
    crop_size: int
    short_side: int
    num_tokens: int | tuple[int, ...] | None
    generate_at: int | None
    num_clips: int
    num_crops: int

    @property
    def num_views(self) -> int:
        """Clips times crops: how often the model runs for a video."""
        return self.num_clips * self.num_crops

    @property
    def view_size(self) -> tuple[int, ...]:
        """(C, T, H, W) of a view."""
        return (3, self.num_frames, self.crop_size, self.crop_size)

    def plain(self) -> dict[str, Any]:
        """Plain values, for JSON and checkpoints."""
        values = asdict(self)
        return values | {"num_tokens": list(self.num_tokens) if isinstance(self.num_tokens, tuple) else self.num_tokens}

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "RunSettings":
        """Inverse of `plain`.

        Raises:
            ValueError: a value is missing, unknown or out of range.
        """
        names = [field.name for field in fields(cls)]
        if set(values) != set(names):
            raise ValueError(f"settings {sorted(values)} are not {', '.join(names)}; give exactly these")
        read = {name: values[name] for name in names}
        for name in names:
            if name == "num_tokens" and isinstance(read[name], (list, tuple)):
                read[name] = whole_numbers(name, read[name])
            elif read[name] is not None or name not in OF_MODEL:
                read[name] = whole_number(name, read[name])
        return cls(**read)

    def words(self, own: "RunSettings | None" = None, *, model_prefix: str = "") -> str:
        """As words of a command line, such as "num_frames=8 num_tokens=16".

        Args:
            own: of the checkpoint; what is alike in it is left out. None = all are written.
            model_prefix: before settings of the model: "model." in an evaluation.
        """
        here, theirs = asdict(self), {} if own is None else asdict(own)
        names = [name for name in here if own is None or here[name] != theirs[name]]
        if {"crop_size", "num_crops"} & set(names) and "short_side" not in names:
            names.append("short_side")  # whose default depends on them
        return " ".join(
            f"{model_prefix if name in OF_MODEL else ''}{name}={_text(here[name], brackets=bool(model_prefix))}"
            for name in here
            if name in names and here[name] is not None
        )


def own_settings(trained: TrainedModel) -> RunSettings:
    """How the checkpoint runs where nothing is chosen."""
    seen, protocol = trained.preprocessing, trained.protocol
    return RunSettings(
        num_frames=seen.num_frames,
        frame_stride=seen.frame_stride,
        crop_size=seen.crop_size,
        short_side=seen.short_side,
        num_tokens=plain_tokens(trained),
        generate_at=trained.model.generate_at,
        num_clips=protocol.num_clips,
        num_crops=protocol.num_crops,
    )


def plain_tokens(trained: TrainedModel) -> int | tuple[int, ...] | None:
    """The tokens that the model runs with: the count, where it means the same grid, else the grid; None = dense."""
    grid = trained.model.token_grid
    if grid is None:
        return None
    try:
        same = trained.model.resolve_tokens(grid.count) == grid
    except ValueError:  # the count has no grid of its own
        same = False
    return grid.count if same else grid.sizes


def short_side_of(trained: TrainedModel, *, crop_size: int, num_crops: int) -> int:
    """Short side of a frame for another picture size, in pixels: in proportion to that of the checkpoint.

    Args:
        trained: as it was trained.
        crop_size: pixels.
        num_crops: some protocols have another short side for three crops.
    """
    seen = trained.preprocessing
    sides = find_protocol(trained.protocol.name)
    if sides.short_sides is not None:
        return max(crop_size, sides.short_sides[num_crops] * crop_size // sides.crop_size)
    return max(crop_size, round(seen.short_side * crop_size / seen.crop_size))


def run_with(trained: TrainedModel, settings: RunSettings) -> TrainedModel:
    """The checkpoint with these settings. Its model is the same object, and runs with them until the next call.

    A place of generation that was not trained brings no warning here: who offers it has told.

    Raises:
        ValueError: the model can't run with them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        if settings.num_tokens is not None:
            trained.model.set_num_tokens(settings.num_tokens)
        if settings.generate_at is not None:
            trained.model.set_generate_at(settings.generate_at)
    return replace(
        trained,
        protocol=replace(trained.protocol, num_clips=settings.num_clips, num_crops=settings.num_crops),
        preprocessing=replace(
            trained.preprocessing,
            num_frames=settings.num_frames,
            frame_stride=settings.frame_stride,
            crop_size=settings.crop_size,
            short_side=settings.short_side,
        ),
    )


def _text(value: int | tuple[int, ...], *, brackets: bool) -> str:
    if isinstance(value, int):
        return str(value)
    return f"[{','.join(map(str, value))}]" if brackets else "x".join(map(str, value))
