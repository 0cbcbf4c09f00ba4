"""How well contributions of tokens agree with occlusions, computed in three ways: correlation over the tokens of clips.

python scripts/contribution_agreement.py ckpt_path=run/best.ckpt videos/ num_tokens=16 out=agreement.csv
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from random import Random

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.transforms.functional import finish_clips
from stvit_video.inference.model_input import view_dataset
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE, LAYER, PROTOCOL, TOKENS, token_choices
from stvit_video.predictions.inputs import read_inputs
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.token_maps.attribution import contributions, group_sums, means_of_others, occlusions, slope_at
from stvit_video.token_maps.cells import token_groups
from stvit_video.token_maps.token_site import TokenSite, token_site
from stvit_video.utils.command_line import Command, Given, Positional, Setting
from stvit_video.utils.measured_tables import markdown_table, write_measured_table
from stvit_video.utils.provenance import provenance
from stvit_video.utils.value_kinds import PATH, TEXT, whole
from stvit_video.visualization.token_captions import LOW_AGREEMENT
from stvit_video.visualization.token_record import correlation

COMMAND = Command(
    prog="python scripts/contribution_agreement.py",
    summary="Correlation of contributions and occlusions over the tokens of the first view of each video, for "
    "contributions computed in three ways.",
    positional=Positional(
        name="files", sign="VIDEO_OR_FOLDER", help="a video, a folder, a pattern, or a list", is_many=True, kind=TEXT
    ),
    settings=(
        CKPT_PATH,
        *TOKENS,
        replace(LAYER, help="dense models: blocks before the image tokens that are looked at"),
        PROTOCOL,
        Setting(name="max_videos", kind=whole(low=1), help="videos to look at, drawn of more", default=60),
        Setting(name="seed", kind=whole(low=0), help="of the drawing", default=0),
        Setting(name="out", kind=PATH, help="CSV file to write", default_words="none"),
        DEVICE,
    ),
    examples=(
        "python scripts/contribution_agreement.py ckpt_path=run/best.ckpt videos/",
        "python scripts/contribution_agreement.py ckpt_path=run/best.ckpt videos/ num_tokens=16 out=agreement.csv",
    ),
)
HEADS = ("contribution", "mean", "median", f"below {LOW_AGREEMENT}", "clips")
WAYS = ("gradient x token", "gradient x (token - mean of others)", "integrated gradients, as drawn")


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well one way to compute contributions agrees with occlusions.

    Attributes:
        way: one of WAYS.
        mean: of the correlations of the clips.
        median: likewise.
        num_low: clips whose correlation is below LOW_AGREEMENT.
        num_clips: that have a correlation.
    """

    way: str
    mean: float
    median: float
    num_low: int
    num_clips: int

    def cells(self) -> list[str]:
        """A row of the table, one for each of HEADS."""
        return [self.way, f"{self.mean:.2f}", f"{self.median:.2f}", str(self.num_low), str(self.num_clips)]


def drawn(videos: Sequence[ListedVideo], *, max_videos: int, seed: int) -> list[ListedVideo]:
    """At most so many of the videos, in an order that the seed gives."""
    mixed = list(videos)
    Random(seed).shuffle(mixed)
    return mixed[:max_videos]


def first_views(recognizer: Recognizer, videos: Sequence[ListedVideo]) -> Iterator[Tensor]:
    """The first view (1, C, T, H, W) of each video by the protocol; those that can't be read are told."""
    dataset = view_dataset(recognizer, Manifest(tuple(video.record() for video in videos), recognizer.classes))
    for number in range(len(videos)):
        item = dataset[number]
        if item["error"]:
            print(f"left out: {item['error']}", file=sys.stderr)
            continue
        yield finish_clips(item["views"][:1], recognizer.preprocessing).to(recognizer.device)


def correlations(site: TokenSite, view: Tensor) -> tuple[float | None, ...]:
    """Of the contributions of each of WAYS with the occlusions, for the likeliest label of a view (1, C, T, H, W)."""
    seen = site.see(view)
    numbers, tokens = token_groups(site, seen), seen.tokens.flatten(1, -2)  # (N,), (1, N, C)
    with torch.no_grad():
        label = int(site.logits(tokens, seen)[0].argmax())
    slope, means = slope_at(site, seen, tokens, label=label), means_of_others(tokens, numbers)  # (1, N, C) each
    found = (
        group_sums(slope * tokens, numbers),
        group_sums(slope * (tokens - means), numbers),
        contributions(site, seen, label=label, numbers=numbers),
    )
    lost = occlusions(site, seen, label=label, numbers=numbers)
    return tuple(correlation(values, lost) for values in found)


def agreements(found: Sequence[Sequence[float | None]]) -> list[Agreement]:
    """A row for each of WAYS, of the correlations of each clip.

    Raises:
        ValueError: not one clip has correlations.
    """
    known = np.array([clip for clip in found if None not in clip], dtype=np.float64)  # (clips, ways)
    if not known.size:
        raise ValueError("no clip has correlations; give videos that can be read, and at least 3 tokens")
    return [
        Agreement(
            way=way,
            mean=float(values.mean()),
            median=float(np.median(values)),
            num_low=int((values < LOW_AGREEMENT).sum()),
            num_clips=len(values),
        )
        for way, values in zip(WAYS, known.T, strict=True)
    ]


def measure(options: Given) -> None:
    """Print the table, and write it where `out` says.

    Raises:
        ValueError: CheckpointError, words that name no video, a wrong setting, or no clip that has correlations.
        OSError: the file can't be written.
    """
    recognizer = load_recognizer(
        options.ckpt_path, device=options.device, protocol=options.protocol, **token_choices(options)
    )
    site = token_site(recognizer.model, layer=options.layer)
    listed = read_inputs(options.files, of_pictures=recognizer.preprocessing.num_frames == 1).videos
    videos = drawn(listed, max_videos=options.max_videos, seed=options.seed)
    rows = agreements([correlations(site, view) for view in first_views(recognizer, videos)])
    made = provenance(recognizer.device)
    print(f"{recognizer.model_name}, {site.words}; a token is {site.left_out}")
    print(markdown_table(HEADS, [row.cells() for row in rows]))
    print(f"commit {made['commit']}, {made['hardware']}, {made['date']}")
    if options.out is not None:
        write_measured_table(
            options.out,
            header=[field.name for field in fields(Agreement)],
            rows=[astuple(row) for row in rows],
            of_all={"model": recognizer.model_name, "where": site.words, "seed": options.seed},
            device=recognizer.device,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; gives the exit status."""
    return COMMAND.run(measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
