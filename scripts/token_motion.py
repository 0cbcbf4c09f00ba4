"""Whether tokens move with what moves: a model's val clips of the embedded data set, whose shapes' places are known.

python scripts/token_motion.py ckpt_path=outputs/quickstart/last.ckpt data_root=data/synthetic num_tokens=4,8,16,32
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from stvit_video.data.synthetic.dataset import KnownClip, known_clips
from stvit_video.data.synthetic.drawing import FloatArray, Trajectory
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import CKPT_PATH, LAYER, OF_CHECKPOINT
from stvit_video.token_maps.video_tokens import video_tokens
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.measured_tables import markdown_table, write_measured_table
from stvit_video.utils.value_kinds import PATH, whole, whole_numbers
from stvit_video.visualization.token_record import ClipTokens, correlation

COMMAND = Command(
    prog="python scripts/token_motion.py",
    summary="Whether tokens move with what moves, in val clips of the embedded data set.",
    settings=(
        CKPT_PATH,
        Setting(
            name="data_root",
            kind=replace(PATH, example="data/synthetic"),
            help="folder of the embedded data set that the checkpoint was trained on",
            is_needed=True,
        ),
        Setting(
            name="num_tokens",
            kind=replace(whole_numbers(low=1), example="16,8"),
            help="semantic tokens, rows for each",
            default_words=OF_CHECKPOINT,
        ),
        LAYER,
        Setting(name="max_clips", kind=whole(low=3), help="clips to look at, at most", default=60),
        Setting(name="seed", kind=whole(low=0), help="of the choice of clips", default=0),
        Setting(name="out", kind=PATH, help="CSV file to write", default_words="none"),
    ),
    examples=(
        "python scripts/token_motion.py ckpt_path=outputs/quickstart/last.ckpt data_root=data/synthetic",
        "python scripts/token_motion.py ckpt_path=run/last.ckpt data_root=moving_shapes num_tokens=16,8 out=motion.csv",
    ),
    notes="The place of a token is the centre of what it comes from, at each step of the grid of image tokens. Its "
    "movement is how far that is from its mean in the clip.",
)
HEADS = ("tokens", "what", "with its shape", "with another's", "pixels a pixel")
TRAVELS = "move_"  # how classes begin whose shape moves along a line
MARGIN = 6 / 64  # of a side, that the centre of a shape stays away from the borders
COVERING, OTHER, ALL, OCCLUSION = "covering token", "token that covers least", "all sources", "occlusion map"


@dataclass(frozen=True, kw_only=True)
class Motion:
    """How one thing moves with the shapes of the clips.

    Attributes:
        tokens: how many there are.
        what: moves.
        with_shape: correlation of its movement with that of the shape, both axes and all clips together.
        with_another: likewise with the shape of another clip, where only chance is left.
        pixels_a_pixel: slope of its movement over that of the shape; 1 = it goes as far.
    """

    tokens: int
    what: str
    with_shape: float
    with_another: float
    pixels_a_pixel: float

    def cells(self) -> list[str]:
        """A row of the table, one for each of HEADS."""
        numbers = (self.with_shape, self.with_another, self.pixels_a_pixel)
        return [str(self.tokens), self.what, *(f"{number:.2f}" for number in numbers)]


def stays_inside(known: Trajectory, *, height: int, width: int) -> bool:
    """Whether a shape keeps away from the borders, and does not leave on one side to come back on the other."""
    inside = True
    for places, side in ((known.x_pixels, width), (known.y_pixels, height)):
        away = places.min() >= MARGIN * side and places.max() <= (1 - MARGIN) * side
        inside &= bool(away and np.abs(np.diff(places)).max() < 2 * MARGIN * side)
    return inside


def chosen_clips(root: Path, *, max_clips: int, seed: int) -> list[KnownClip]:
    """At most so many val clips in which a shape travels and stays inside, in an order that the seed gives.

    Raises:
        ValueError: there is no data set, or there are fewer than 3 such clips.
    """
    clips = known_clips(root, split="val", rng=np.random.default_rng(seed))
    chosen = list(islice(filter(_is_usable, clips), max_clips))
    if len(chosen) < 3:
        raise ValueError(
            f"{root} has {len(chosen)} val clips whose shape stays inside; make more of them, with num_val="
        )
    return chosen


def _is_usable(clip: KnownClip) -> bool:
    height, width = clip.drawn.frames.shape[1:3]
    return clip.class_name.startswith(TRAVELS) and stays_inside(clip.drawn.trajectory, height=height, width=width)


def centres(weights: FloatArray, *, size: tuple[int, int]) -> FloatArray:
    """The weighted centre of a map (T', H', W') over a picture of a size in pixels: (T', 2) x and y.

    NaN at steps where nothing has a weight.
    """
    sums = weights.sum(axis=(1, 2))  # (T',)
    along = [(np.arange(count) + 0.5) * side / count for side, count in zip(size, weights.shape[1:], strict=True)]
    moments = np.stack([weights.sum(axis=1) @ along[1], weights.sum(axis=2) @ along[0]], axis=1)  # (T', 2)
    return np.divide(moments, sums[:, None], out=np.full(moments.shape, np.nan), where=sums[:, None] > 0)


def places_of_tokens(
    sources: FloatArray, occlusions: FloatArray, cover: FloatArray, *, size: tuple[int, int], is_semantic: bool
) -> dict[str, FloatArray]:
    """Where the things that may move with a shape are, each (T', 2) in pixels.

    Args:
        sources: (K, T', H', W').
        occlusions: (K,).
        cover: (T', H', W'), the share of each image token that the shape covers.
        size: height and width in pixels.
        is_semantic: False = the tokens are cells of a grid, which can't move; the map can.
    """
    maps = {OCCLUSION: np.tensordot(np.abs(occlusions), sources, axes=1)}
    if is_semantic:
        on_shape = (sources * cover).sum(axis=(1, 2, 3))  # (K,)
        maps |= {COVERING: sources[on_shape.argmax()], ALL: sources.sum(axis=0), OTHER: sources[on_shape.argmin()]}
    return {what: centres(weights, size=size) for what, weights in maps.items()}


def movement(places: FloatArray) -> FloatArray:
    """How far places (n, T', 2) are from their mean in the clip; NaN where they are."""
    known = np.isfinite(places)
    sums = np.where(known, places, 0).sum(axis=1, keepdims=True)  # (n, 1, 2)
    return places - sums / np.maximum(known.sum(axis=1, keepdims=True), 1)


def motion(what: str, places: FloatArray, shape_places: FloatArray, *, tokens: int) -> Motion:
    """How places (n, T', 2) move with those of the shapes (n, T', 2)."""
    moved, truth = movement(places), movement(shape_places)
    known = np.isfinite(moved)
    another = np.roll(truth, 1, axis=0)
    pairs = [correlation(moved[known], side[known]) for side in (truth, another)]
    with_shape, with_another = (np.nan if pair is None else pair for pair in pairs)
    slope = (moved * truth)[known].sum() / (truth[known] ** 2).sum()
    return Motion(
        tokens=tokens, what=what, with_shape=with_shape, with_another=with_another, pixels_a_pixel=float(slope)
    )


def seen_shape(clip: KnownClip, tokens: ClipTokens) -> tuple[FloatArray, FloatArray]:
    """Where the shape is at each step of the tokens (T', 2) in pixels, and its share of image tokens (T', H', W').

    Raises:
        ValueError: the model sees a part of the frames.
    """
    height, width = tokens.frames.shape[1:3]
    if tokens.seen != (0, 0, height, width):
        raise ValueError(f"the model sees {tokens.seen} of frames of {height} x {width} pixels; use one that sees all")
    frames = np.rint(tokens.seconds * clip.fps).astype(np.int64)  # (T,)
    known = clip.drawn.trajectory
    places = torch.from_numpy(np.stack([known.x_pixels[frames], known.y_pixels[frames]]))  # (2, T)
    cover = torch.from_numpy(clip.drawn.cover[frames])  # (T, H, W)
    grid = tokens.sources.shape[1:]
    return (
        F.adaptive_avg_pool1d(places, grid[0]).T.numpy(),
        F.adaptive_avg_pool3d(cover[None], grid)[0].numpy(),
    )


def motions(recognizer: Recognizer, clips: Sequence[KnownClip], *, layer: int | None) -> list[Motion]:
    """A row for each thing that may move.

    Raises:
        ValueError: a layer that there isn't, a class that the model doesn't know, or what `seen_shape` refuses.
        DecodeError: a clip can't be read.
    """
    found: dict[str, list[FloatArray]] = {}
    shape_places = list[FloatArray]()
    for clip in clips:
        video = video_tokens(recognizer, clip.path, label=clip.class_name, max_clips=1, layer=layer)
        tokens = video.clips[0]
        places, cover = seen_shape(clip, tokens)
        size = clip.drawn.frames.shape[1], clip.drawn.frames.shape[2]
        shape_places.append(places)
        for what, of_what in places_of_tokens(
            tokens.sources, tokens.occlusions, cover, size=size, is_semantic=video.is_semantic
        ).items():
            found.setdefault(what, []).append(of_what)
    truth = np.stack(shape_places)  # (n, T', 2)
    return [motion(what, np.stack(places), truth, tokens=video.num_tokens) for what, places in found.items()]


def measure(options: Given) -> None:
    """Print the table, and write it where `out` says.

    Raises:
        ValueError: CheckpointError, no data set, too few clips, or a wrong setting.
        DecodeError: a clip can't be read.
        OSError: the file can't be written.
    """
    clips = chosen_clips(options.data_root, max_clips=options.max_clips, seed=options.seed)
    rows = list[Motion]()
    for count in options.num_tokens or (None,):
        recognizer = load_recognizer(options.ckpt_path, device="cpu", num_tokens=count)
        rows += motions(recognizer, clips, layer=options.layer)
    print(f"{recognizer.model_name}, {len(clips)} clips")
    print(markdown_table(HEADS, [row.cells() for row in rows]))
    if options.out is not None:
        write_motions(options.out, rows, of_all={"model": recognizer.model_name, "num_clips": len(clips)})


def write_motions(path: Path, rows: Sequence[Motion], *, of_all: Mapping[str, str | int]) -> None:
    """Write the rows as a CSV file, each with what holds for all, the commit and the machine."""
    write_measured_table(
        path,
        header=[field.name for field in fields(Motion)],
        rows=[list(asdict(row).values()) for row in rows],
        of_all=of_all,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; gives the exit status."""
    return COMMAND.run(measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
